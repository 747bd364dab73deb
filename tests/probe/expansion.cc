#include "parser/expand.h"
#include "tests/probe/family.h"

namespace cbuild::probe {
namespace {

Json answer(const Json& question) {
  parser::ExpandOptions options;
  options.escape = question.value("escape", "\\")[0];
  for (const Json& flag : question.value("flags", Json::array())) {
    options.raw_quotes |= flag == "RawQuotes";
    options.raw_escapes |= flag == "RawEscapes";
    options.skip_unset |= flag == "SkipUnsetEnv";
    options.skip_process_quotes |= flag == "SkipProcessQuotes";
  }
  const Json& env = question.at("env");
  const parser::Lookup lookup =
      [&](std::string_view name) -> std::optional<std::string> {
    const auto found = env.find(std::string(name));
    if (found == env.end()) return std::nullopt;
    return found->get<std::string>();
  };
  const std::string word = question.at("word");
  if (question.at("mode") == "words")
    return {{"result", parser::expand_words(word, lookup, options)}};
  const parser::Expansion expansion = parser::expand(word, lookup, options);
  return {{"result", expansion.text},
          {"unset", expansion.unset},
          {"used", expansion.used}};
}

const Family family("expansion", answer);

}  // namespace
}  // namespace cbuild::probe
