// The build environment of a stage: ENV and ARG in one ordered list.
//
// The last writer of a name wins and moves it to the end, as in BuildKit's
// llb.EnvList; the order is part of a RUN's key. Value type.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parser/ast.h"
#include "parser/expand.h"
#include "parser/source.h"

namespace cbuild::builder {

class Variables {
 public:
  void set(std::string_view name, std::string_view value);
  std::optional<std::string> get(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& list() const {
    return list_;
  }
  std::vector<std::string> names() const;
  // Refers to *this, which must outlive it.
  parser::Lookup lookup() const;

 private:
  std::vector<std::pair<std::string, std::string>> list_;
};

// Expands a word of the Dockerfile. Throws parser::SyntaxError at the word's
// place: failed to process "${X": syntax error: missing '}'.
std::string expand_word(const parser::Word& word, const Variables& variables,
                        char escape);
// The same with the names that were asked for.
parser::Expansion expand_named(const parser::Word& word,
                               const Variables& variables, char escape);

// The same where what comes of one word may be several (EXPOSE).
std::vector<std::string> expand_words(const parser::Word& word,
                                      const Variables& variables, char escape);

// What expand_word() throws: a word that cannot be expanded.
parser::SyntaxError unexpandable(const parser::Word& word,
                                 const parser::ExpandError& why);

// A mistake at `span`, as an exception.
parser::SyntaxError mistake(parser::Span span, std::string message);

}  // namespace cbuild::builder
