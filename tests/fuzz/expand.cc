// A word with variables. First line: letters that choose options (`e` the
// escape is `, q r u p as below); each further line but the last sets a
// variable.
#include "parser/expand.h"

#include <map>
#include <string>

#include "tests/fuzz/target.h"

namespace cbuild::parser {
namespace {

ExpandOptions options_of(std::string_view letters) {
  const auto has = [&](char c) { return letters.find(c) != letters.npos; };
  return {.escape = has('e') ? '`' : '\\',
          .raw_quotes = has('q'),
          .raw_escapes = has('r'),
          .skip_unset = has('u'),
          .skip_process_quotes = has('p'),
          .max_made = std::size_t{64} << 10};
}

void check_word(std::string_view word, const Lookup& lookup,
                const ExpandOptions& options) {
  const Expansion expansion = expand(word, lookup, options);
  for (const std::string& name : expansion.used) MUST(lookup(name));
  for (const std::string& name : expansion.unset) MUST(!lookup(name));
  const std::string special = std::string("$'\"") + options.escape;
  if (word.find_first_of(special) == word.npos) MUST(expansion.text == word);
}

}  // namespace
}  // namespace cbuild::parser

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace cbuild::parser;
  auto [letters, rest] =
      cbuild::fuzz::first_line(cbuild::fuzz::text_of(data, size));
  const ExpandOptions options = options_of(letters);
  std::map<std::string, std::string, std::less<>> variables;
  while (rest.find('\n') != rest.npos) {
    const auto [setting, below] = cbuild::fuzz::first_line(rest);
    const std::size_t equals = setting.find('=');
    if (equals == setting.npos) break;
    variables[std::string(setting.substr(0, equals))] =
        setting.substr(equals + 1);
    rest = below;
  }
  const Lookup lookup =
      [&](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  try {
    check_word(rest, lookup, options);
  } catch (const ExpandError& e) {
    MUST(*e.what() != '\0');
  }
  try {
    expand_words(rest, lookup, options);
  } catch (const ExpandError&) {
  }
  return 0;
}
