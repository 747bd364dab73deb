// Dockerfile text to logical lines: private to parser/, but for tests.
//
// A logical line is one instruction: continuations joined, comments inside it
// dropped, its heredocs taken from the lines below. Each is split into keyword,
// flags and arguments by the rules of its keyword, not yet typed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parser/ast.h"
#include "parser/source.h"

namespace cbuild::parser {

// Text that was joined from pieces of the file.
struct LineText {
  struct Piece {
    std::size_t at = 0;        // in text
    std::uint32_t offset = 0;  // in the file
  };
  std::string text;
  std::vector<Piece> pieces;

  void append(std::string_view piece, std::size_t offset);
  std::uint32_t offset_of(std::size_t at) const;
  // Where text[begin, end) stands in the file.
  Span span_of(std::size_t begin, std::size_t end) const;
};

// A piece of a line as an argument: ENV and LABEL give three for each pair
// (key, value, "=" or nothing), HEALTHCHECK has its type in front.
struct Argument {
  std::string text;
  std::size_t begin = 0;  // in LineText::text
  std::size_t end = 0;
};

struct Flag {
  std::string text;  // "--name=value", quotes and escapes gone
  std::size_t begin = 0;
  std::size_t end = 0;
};

// A line split by the rules of its keyword.
struct Split {
  std::string keyword;  // as written
  std::size_t keyword_begin = 0;
  std::vector<Flag> flags;
  std::size_t arguments_begin = 0;
  std::vector<Argument> arguments;
  bool json = false;
  std::vector<Split> trigger;  // ONBUILD: one
};

struct RawInstruction {
  LineText line;
  Span span;  // continuations and heredocs included
  std::vector<std::string> comments;
  Split split;
  std::vector<Heredoc> heredocs;
};

struct RawFile {
  char escape = '\\';
  std::vector<RawInstruction> instructions;
  std::vector<Warning> warnings;
  std::vector<Diagnostic> mistakes;  // in order; their lines are left out
};

RawFile read_lines(std::string_view text);

// Throws SyntaxError.
Split split_line(const LineText& line, std::size_t begin, char escape);

}  // namespace cbuild::parser
