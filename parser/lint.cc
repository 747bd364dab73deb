#include "parser/lint.h"

#include <algorithm>

#include "base/text.h"

namespace cbuild::parser {
namespace {

bool is_lower(const std::string& text) { return text == to_lower(text); }
bool is_upper(const std::string& text) { return text == to_upper(text); }

void warn(const RawInstruction& raw, const char* rule, std::string message,
          std::vector<Warning>& warnings) {
  warnings.push_back({rule, std::move(message), raw.span, raw.comments});
}

// AS is to look like FROM, where that has one case.
void lint_casing(const RawInstruction& raw, std::vector<Warning>& warnings) {
  const std::vector<Argument>& words = raw.split.arguments;
  if (words.size() < 3) return;
  const std::string& from = raw.split.keyword;
  const std::string& as = words[1].text;
  const std::string& name = words[2].text;
  if (words.size() == 3 && !is_lower(name))
    warn(raw, "StageNameCasing",
         "Stage name '" + name + "' should be lowercase", warnings);
  const bool alike = is_lower(from)   ? is_lower(as)
                     : is_upper(from) ? is_upper(as)
                                      : true;
  if (!alike)
    warn(raw, "FromAsCasing",
         "'" + as + "' and '" + from + "' keywords' casing do not match",
         warnings);
}

// The last comment line above a definition is to describe it.
void lint_comment(const RawInstruction& raw, const char* keyword,
                  const std::vector<std::string>& names,
                  std::vector<Warning>& warnings) {
  if (raw.comments.empty() || names.empty()) return;
  const std::string& last = raw.comments.back();
  const std::string first_word = last.substr(0, last.find(' '));
  if (std::find(names.begin(), names.end(), first_word) != names.end()) return;
  const std::string example = names.size() > 1 ? "<arg_key>" : names[0];
  warn(raw, "InvalidDefinitionDescription",
       std::string("Comment for ") + keyword +
           " should follow the format: `# " + example + " <description>`",
       warnings);
}

}  // namespace

void lint_words(const RawInstruction& raw, std::vector<Warning>& warnings) {
  if (equals_ignore_case(raw.split.keyword, "maintainer"))
    warn(raw, "MaintainerDeprecated",
         "Maintainer instruction is deprecated in favor of using label",
         warnings);
  if (equals_ignore_case(raw.split.keyword, "from")) lint_casing(raw, warnings);
}

void lint_description(const RawInstruction& raw, const Node& node,
                      std::vector<Warning>& warnings) {
  if (const From* from = std::get_if<From>(&node)) {
    if (!from->name.empty()) lint_comment(raw, "FROM", {from->name}, warnings);
  } else if (const Arg* arg = std::get_if<Arg>(&node)) {
    std::vector<std::string> names;
    for (const ArgDeclaration& declaration : arg->declarations)
      names.push_back(declaration.name.raw);
    lint_comment(raw, "ARG", names, warnings);
  }
}

}  // namespace cbuild::parser
