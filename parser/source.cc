#include "parser/source.h"

#include <fmt/format.h>

#include <algorithm>

#include "parser/line_table.h"

namespace cbuild::parser {
namespace {

constexpr std::size_t kShownLines = 5;

std::string bare_messages(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (!text.empty()) text += '\n';
    text += diagnostic.message;
  }
  return text;
}

// Blanks of the width of `before`, so that the caret stands below its text.
std::string caret_indent(std::string_view before) {
  std::string indent;
  for (const char c : before) {
    if (c == '\t')
      indent += '\t';
    else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80)
      indent += ' ';
  }
  return indent;
}

std::string_view without_carriage_return(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

}  // namespace

Position position_of(std::string_view text, std::uint32_t offset) {
  const std::string_view before =
      text.substr(0, std::min<std::size_t>(offset, text.size()));
  const std::size_t newline = before.rfind('\n');
  Position position;
  position.line = 1 + static_cast<std::size_t>(
                          std::count(before.begin(), before.end(), '\n'));
  position.column = newline == std::string_view::npos ? before.size() + 1
                                                      : before.size() - newline;
  return position;
}

namespace {

std::string render_at(const Position& start, std::string_view file_name,
                      std::string_view text, Span span,
                      std::string_view message) {
  std::string out =
      fmt::format("{}:{}:{}: {}", file_name, start.line, start.column, message);
  const std::size_t offset = std::min<std::size_t>(span.begin, text.size());
  std::size_t at = offset - (start.column - 1);
  for (std::size_t shown = 0; shown < kShownLines; ++shown) {
    const std::size_t newline = std::min(text.find('\n', at), text.size());
    const std::string_view line =
        without_carriage_return(text.substr(at, newline - at));
    out += fmt::format("\n{:4} | {}", start.line + shown, line);
    if (shown == 0)
      out += fmt::format(
          "\n{:4} | {}^", "",
          caret_indent(line.substr(0, std::min(offset - at, line.size()))));
    at = newline + 1;
    if (at >= text.size() || at >= span.end) break;
  }
  return out;
}

// " (in the ENV of line 2)" for a place in a later line than that.
std::string begun_above(Span instruction, const Position& place,
                        const LineTable& table, std::string_view text) {
  if (instruction == Span{}) return "";
  const std::size_t line = table.position(instruction.begin).line;
  if (line >= place.line) return "";
  const std::string_view rest = text.substr(instruction.begin);
  return fmt::format(" (in the {} of line {})",
                     rest.substr(0, rest.find_first_of(" \t\r\n\\`")), line);
}

}  // namespace

std::string render(std::string_view file_name, std::string_view text, Span span,
                   std::string_view message) {
  return render_at(position_of(text, span.begin), file_name, text, span,
                   message);
}

SyntaxError::SyntaxError(std::vector<Diagnostic> diagnostics,
                         std::vector<Warning> warnings)
    : SyntaxError(bare_messages(diagnostics), diagnostics,
                  std::move(warnings)) {}

SyntaxError::SyntaxError(std::string what, std::vector<Diagnostic> diagnostics,
                         std::vector<Warning> warnings)
    : Error(std::move(what)),
      diagnostics_(std::move(diagnostics)),
      warnings_(std::move(warnings)) {}

const Diagnostic& SyntaxError::first() const {
  for (const Diagnostic& diagnostic : diagnostics_)
    if (diagnostic.phase <= Diagnostic::Phase::lines) return diagnostic;
  return diagnostics_.front();
}

SyntaxError SyntaxError::located(std::string_view file_name,
                                 std::string_view text) const {
  const LineTable table(text);
  std::string what;
  for (const Diagnostic& diagnostic : diagnostics_) {
    if (!what.empty()) what += '\n';
    const Position place = table.position(diagnostic.span.begin);
    what += render_at(place, file_name, text, diagnostic.span,
                      diagnostic.message + begun_above(diagnostic.instruction,
                                                       place, table, text));
  }
  return SyntaxError(std::move(what), diagnostics_, warnings_);
}

SyntaxError SyntaxError::within(Span instruction) const {
  std::vector<Diagnostic> diagnostics = diagnostics_;
  for (Diagnostic& diagnostic : diagnostics)
    diagnostic.instruction = instruction;
  return SyntaxError(what(), std::move(diagnostics), warnings_);
}

}  // namespace cbuild::parser
