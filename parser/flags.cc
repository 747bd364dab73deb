#include "parser/flags.h"

#include <algorithm>

#include "base/text.h"
#include "parser/source.h"

namespace cbuild::parser {

void FlagSet::check() {
  for (const Flag& flag : split_.flags) {
    try {
      take(flag);
    } catch (const SyntaxError&) {
      throw;
    } catch (const Error& e) {
      throw SyntaxError({{e.what(), line_.span_of(flag.begin, flag.end), {}}});
    }
  }
}

void FlagSet::take(const Flag& flag) {
  const std::size_t equals = flag.text.find('=');
  const std::string shown = flag.text.substr(0, equals);  // with its dashes
  const std::string name = shown.substr(2);
  std::optional<std::string> value;
  if (equals != std::string::npos) value = flag.text.substr(equals + 1);

  const auto known =
      std::find_if(known_.begin(), known_.end(),
                   [&](const Known& each) { return each.name == name; });
  if (known == known_.end()) {
    std::vector<std::string> names;
    for (const Known& each : known_) names.push_back(each.name);
    throw Error("unknown flag: " + shown + did_you_mean(name, names, false));
  }
  if (!known->values.empty() && known->kind != Kind::list)
    throw Error("duplicate flag specified: " + shown);
  if (known->kind == Kind::boolean)
    value = boolean_value(shown, value);
  else if (!value)
    throw Error("missing a value on flag: " + shown);

  // Where the value starts is exact unless the name was quoted.
  const std::size_t begin = std::min(
      flag.begin + (equals == std::string::npos ? 0 : equals + 1), flag.end);
  known->values.push_back({*value, line_.span_of(begin, flag.end)});
}

std::string FlagSet::boolean_value(
    const std::string& name, const std::optional<std::string>& value) const {
  if (!value) return "true";
  if (value->empty()) throw Error("missing a value on flag: " + name);
  const std::string lowered = to_lower(*value);
  if (lowered != "true" && lowered != "false")
    throw Error("expecting boolean value for flag " + name +
                ", not: " + *value);
  return lowered;
}

const FlagSet::Known* FlagSet::find(std::string_view name) const {
  const auto known =
      std::find_if(known_.begin(), known_.end(), [&](const Known& each) {
        return each.name == name && !each.values.empty();
      });
  return known == known_.end() ? nullptr : &*known;
}

std::optional<Word> FlagSet::word(std::string_view name) const {
  const Known* known = find(name);
  if (!known || known->values[0].raw.empty()) return std::nullopt;
  return known->values[0];
}

std::vector<Word> FlagSet::words(std::string_view name) const {
  const Known* known = find(name);
  return known ? known->values : std::vector<Word>{};
}

std::optional<bool> FlagSet::truth(std::string_view name) const {
  const Known* known = find(name);
  if (!known) return std::nullopt;
  return known->values[0].raw == "true";
}

bool FlagSet::given(std::string_view name) const {
  return find(name) != nullptr;
}

Span FlagSet::span(std::string_view name) const {
  const Known* known = find(name);
  return known ? known->values[0].span : line_.span_of(0, line_.text.size());
}

}  // namespace cbuild::parser
