#include "parser/check_options.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "parser/directives.h"
#include "parser/mount.h"
#include "parser/runes.h"

namespace cbuild::parser {
namespace {

constexpr std::size_t kMaxOptions = 3;

// At the first ';', the last piece keeping those that are too many.
std::vector<std::string_view> split_options(std::string_view text) {
  std::vector<std::string_view> options;
  while (options.size() + 1 < kMaxOptions) {
    const std::size_t end = text.find(';');
    if (end == std::string_view::npos) break;
    options.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  options.push_back(text);
  return options;
}

void read_rules(std::string_view value, bool& all,
                std::vector<std::string>& rules) {
  value = trim_space(value);
  if (value == "all") {
    all = true;
    return;
  }
  rules.clear();
  for (const std::string& rule : split(value, ','))
    rules.emplace_back(trim_space(rule));
}

void append(std::vector<std::string>& to,
            const std::vector<std::string>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

CheckOptions parse_check_options(std::string_view text) {
  CheckOptions options;
  text = trim_space(text);
  if (text.empty()) return options;
  for (const std::string_view option : split_options(text)) {
    const std::size_t equals = option.find('=');
    if (equals == std::string_view::npos)
      throw Error("invalid check option " + go_quote(option));
    const std::string_view name = trim_space(option.substr(0, equals));
    const std::string_view value = option.substr(equals + 1);
    if (name == "skip") {
      read_rules(value, options.skip_all, options.skip);
    } else if (name == "experimental") {
      read_rules(value, options.experimental_all, options.experimental);
    } else if (name == "error") {
      const std::string_view written = trim_space(value);
      const std::optional<bool> error = parse_bool(written);
      if (!error)
        throw Error("failed to parse check option " + go_quote(option) +
                    ": strconv.ParseBool: parsing " + go_quote(written) +
                    ": invalid syntax");
      options.error = *error;
    } else {
      throw Error("invalid check option " + go_quote(name));
    }
  }
  return options;
}

std::string_view check_directive_value(std::string_view value) {
  return value.substr(0, value.find(' '));
}

CheckOptions with_check_comments(const CheckOptions& base,
                                 const std::vector<std::string>& comments) {
  for (const std::string& comment : comments) {
    const std::optional<Directive> directive =
        DirectiveReader().read("#" + comment);
    if (!directive || directive->name != "check") continue;
    CheckOptions merged = base;
    try {
      const CheckOptions added =
          parse_check_options(check_directive_value(directive->value));
      merged.skip_all |= added.skip_all;
      merged.experimental_all |= added.experimental_all;
      append(merged.skip, added.skip);
      append(merged.experimental, added.experimental);
    } catch (const Error&) {
      return base;
    }
    return merged;
  }
  return base;
}

}  // namespace cbuild::parser
