// Variables, quotes and escapes in a word (reference/peers.md 1.4).
//
// The rules are BuildKit's shell lexer's (frontend/dockerfile/shell/lex.go),
// which are nearly a shell's: ${v:-w}, ${v:+w}, ${v:?w}, ${v#p}, ${v%p},
// ${v/p/r} and the doubled forms.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace cbuild::parser {

// The word cannot be expanded; what() is BuildKit's text, without the
// `failed to process "<word>": ` in front.
class ExpandError : public Error {
 public:
  using Error::Error;
  // What was asked for and not set until then, where expand() threw it.
  std::set<std::string> unset;
};

// Value of a variable, or nullopt where it is not set.
using Lookup = std::function<std::optional<std::string>(std::string_view)>;

struct ExpandOptions {
  char escape = '\\';
  bool raw_quotes = false;           // quotes group but stay in the result
  bool raw_escapes = false;          // escape characters stay
  bool skip_unset = false;           // an unset reference is left as written
  bool skip_process_quotes = false;  // quotes are plain letters (heredocs)
  // Bytes that substitutions may make in one word, those of inner ones counted
  // again: ${a//x/${a//x/$a}} grows by a's length with each pair of braces. It
  // is the message size that BuildKit's definitions must fit (gRPC, 16 MiB).
  std::size_t max_made = std::size_t{16} << 20;
};

struct Expansion {
  std::string text;
  std::set<std::string> unset;  // asked for and not set
  std::set<std::string> used;   // asked for and set
};

// One text gives one text. Throws ExpandError.
Expansion expand(std::string_view word, const Lookup& lookup,
                 const ExpandOptions& options = {});

// The text is expanded and split at white space outside quotes (EXPOSE).
std::vector<std::string> expand_words(std::string_view word,
                                      const Lookup& lookup,
                                      const ExpandOptions& options = {});

}  // namespace cbuild::parser
