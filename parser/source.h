// Where in the Dockerfile something is, and how an error there is printed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "parser/ast.h"

namespace cbuild::parser {

struct Position {
  std::size_t line = 1;    // 1-based
  std::size_t column = 1;  // 1-based, in bytes
};

Position position_of(std::string_view text, std::uint32_t offset);

// "Dockerfile:7:12: <message>", then for each line of the span (at most five)
// its number and text, and below the first a caret:
//
//   Dockerfile:7:12: unknown flag: --form (did you mean --from?)
//      7 | COPY --form=build /a /b
//        |      ^
std::string render(std::string_view file_name, std::string_view text, Span span,
                   std::string_view message);

// One mistake in a Dockerfile. The message is BuildKit's wording
// (reference/peers.md 1.12), without place.
struct Diagnostic {
  std::string message;
  Span span;         // what is wrong
  Span instruction;  // the whole instruction that it is in; empty: unknown
  // BuildKit splits all lines before it looks at the first instruction, and
  // stops at its first mistake.
  enum class Phase {
    directives,
    lines,
    instructions,
    file
  } phase = Phase::file;
};

// Every mistake that was found in one file: exit code 2. what() is all of them
// rendered, each as render() does, once located() was called; before that the
// bare messages.
class SyntaxError : public Error {
 public:
  // `warnings`: what was found before the first mistake.
  explicit SyntaxError(std::vector<Diagnostic> diagnostics,
                       std::vector<Warning> warnings = {});
  const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }
  // The mistake BuildKit stops at, and what its checks say until then.
  const Diagnostic& first() const;
  const std::vector<Warning>& warnings() const { return warnings_; }
  // The same error with file, line, column and source text in what(), and with
  // the line of the instruction where that is another one: a line that was
  // meant to be an instruction may have become a part of the one above.
  SyntaxError located(std::string_view file_name, std::string_view text) const;
  // The same, known to be in this instruction.
  SyntaxError within(Span instruction) const;

 private:
  SyntaxError(std::string what, std::vector<Diagnostic> diagnostics,
              std::vector<Warning> warnings);
  std::vector<Diagnostic> diagnostics_;
  std::vector<Warning> warnings_;
};

}  // namespace cbuild::parser
