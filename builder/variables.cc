#include "builder/variables.h"

#include <algorithm>

#include "base/text.h"

namespace cbuild::builder {

void Variables::set(std::string_view name, std::string_view value) {
  std::erase_if(list_, [&](const auto& pair) { return pair.first == name; });
  list_.emplace_back(name, value);
}

std::optional<std::string> Variables::get(std::string_view name) const {
  for (const auto& [key, value] : list_)
    if (key == name) return value;
  return std::nullopt;
}

std::vector<std::string> Variables::names() const {
  std::vector<std::string> names;
  for (const auto& pair : list_) names.push_back(pair.first);
  return names;
}

parser::Lookup Variables::lookup() const {
  return [this](std::string_view name) { return get(name); };
}

std::string expand_word(const parser::Word& word, const Variables& variables,
                        char escape) {
  return expand_named(word, variables, escape).text;
}

parser::Expansion expand_named(const parser::Word& word,
                               const Variables& variables, char escape) {
  try {
    return parser::expand(word.raw, variables.lookup(), {.escape = escape});
  } catch (const parser::ExpandError& e) {
    throw unexpandable(word, e);
  }
}

std::vector<std::string> expand_words(const parser::Word& word,
                                      const Variables& variables, char escape) {
  try {
    return parser::expand_words(word.raw, variables.lookup(),
                                {.escape = escape});
  } catch (const parser::ExpandError& e) {
    throw unexpandable(word, e);
  }
}

parser::SyntaxError unexpandable(const parser::Word& word,
                                 const parser::ExpandError& why) {
  return mistake(word.span,
                 "failed to process " + go_quote(word.raw) + ": " + why.what());
}

parser::SyntaxError mistake(parser::Span span, std::string message) {
  return parser::SyntaxError({{std::move(message), span}});
}

}  // namespace cbuild::builder
