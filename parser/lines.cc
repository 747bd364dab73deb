// What a Dockerfile's lines are cannot be told by a grammar: the escape
// character comes from a directive, comments vanish inside an instruction, and
// a heredoc is known only once its instruction was split. So they are read by
// hand, in BuildKit's order of checks (frontend/dockerfile/parser/parser.go):
//
//   line -> first line of an instruction?  comment, directive, blank: go on
//        -> ends in the escape character?  join the next, dropping comments
//        -> split it by its keyword's rules
//        -> RUN, COPY, ADD or ONBUILD of one with "<<": take the bodies below
//
// Unlike BuildKit a mistake does not end the reading; it is kept and the next
// line is looked at, so that a user sees all of them.
#include "parser/lines.h"

#include <algorithm>

#include "base/text.h"
#include "parser/directives.h"
#include "parser/expand.h"
#include "parser/heredoc.h"
#include "parser/runes.h"

namespace cbuild::parser {
namespace {

constexpr std::size_t kMaxLine = 65535;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string_view trim_newline(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Without the end of its last line.
std::string_view trim_last_newline(std::string_view lines) {
  if (lines.ends_with('\n')) lines.remove_suffix(1);
  if (lines.ends_with('\r')) lines.remove_suffix(1);
  return lines;
}

bool is_comment(std::string_view line) {
  return trim_space_left(line).starts_with('#');
}

// Cuts off an escape character at the end, and the blanks behind it.
bool cut_continuation(std::string_view& line, char escape) {
  const std::size_t last = line.find_last_not_of(" \t");
  if (last == std::string_view::npos || line[last] != escape) return false;
  if (last > 0 && line[last - 1] == escape) return false;
  line = line.substr(0, last);
  return true;
}

bool takes_heredocs(const Split& split) {
  const Split& inner =
      equals_ignore_case(split.keyword, "onbuild") && !split.trigger.empty()
          ? split.trigger[0]
          : split;
  if (inner.json) return false;
  return equals_ignore_case(inner.keyword, "run") ||
         equals_ignore_case(inner.keyword, "copy") ||
         equals_ignore_case(inner.keyword, "add");
}

class FileReader {
 public:
  explicit FileReader(std::string_view text) : text_(text) {
    if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
  }

  RawFile read() {
    while (at_ < text_.size()) read_instruction();
    return std::move(file_);
  }

 private:
  struct Line {
    std::string_view text;  // with its end
    std::size_t offset = 0;
  };

  Line next_line() {
    const std::size_t begin = at_;
    const std::size_t newline = std::min(text_.find('\n', begin), text_.size());
    if (newline - begin > kMaxLine)
      mistake("dockerfile line greater than max allowed size of 65535", begin,
              begin + 1);
    at_ = std::min(newline + 1, text_.size());
    return {text_.substr(begin, at_ - begin), begin};
  }

  void mistake(std::string message, std::size_t begin, std::size_t end,
               Diagnostic::Phase phase = Diagnostic::Phase::lines) {
    const Span span{static_cast<std::uint32_t>(begin),
                    static_cast<std::uint32_t>(end)};
    file_.mistakes.push_back({std::move(message), span, span, phase});
  }

  void note_comment(std::string_view line) {
    const std::string_view comment = trim_space(line.substr(1));
    if (comment.empty())
      comments_.clear();
    else
      comments_.emplace_back(comment);
  }

  // Is the line a directive? It is then no comment either.
  bool read_directive(std::string_view line, std::size_t offset) {
    try {
      const std::optional<Directive> directive = directives_.read(line);
      if (!directive) return false;
      if (directive->name != "escape") return true;
      if (directive->value != "\\" && directive->value != "`")
        throw Error("invalid escape token '" + directive->value +
                    "' does not match ` or \\");
      file_.escape = directive->value[0];
    } catch (const Error& e) {
      mistake(e.what(), offset, offset + line.size(),
              Diagnostic::Phase::directives);
    }
    return true;
  }

  void read_instruction();
  bool join_continuations(LineText& line);
  void add(LineText line, std::size_t begin);
  void read_heredocs(RawInstruction& instruction);
  bool read_body(Heredoc& heredoc);
  void warn_empty_line(std::size_t begin);

  std::string_view text_;
  std::size_t at_ = 0;
  DirectiveReader directives_;
  std::vector<std::string> comments_;
  RawFile file_;
};

void FileReader::read_instruction() {
  const Line raw = next_line();
  const bool comment = is_comment(raw.text);
  if (comment) note_comment(raw.text);
  std::string_view text = trim_newline(raw.text);
  const std::size_t indent = text.size() - trim_space_left(text).size();
  text.remove_prefix(indent);
  if (read_directive(text, raw.offset + indent) && !comments_.empty())
    comments_.pop_back();
  if (comment) return;

  const bool continues = cut_continuation(text, file_.escape);
  if (!continues && text.empty()) return;
  LineText line;
  line.append(text, raw.offset + indent);
  const bool empty_line = continues && join_continuations(line);
  const std::size_t begin = raw.offset + indent;
  if (empty_line) warn_empty_line(begin);
  add(std::move(line), begin);
  comments_.clear();
}

// Was there an empty line among the continuations?
bool FileReader::join_continuations(LineText& line) {
  bool empty_line = false;
  for (bool continues = true; continues && at_ < text_.size();) {
    const Line raw = next_line();
    std::string_view text = trim_newline(raw.text);
    if (is_comment(text)) continue;
    if (trim_space_left(text).empty()) {
      empty_line = true;
      continue;
    }
    continues = cut_continuation(text, file_.escape);
    line.append(text, raw.offset);
  }
  return empty_line;
}

// BuildKit names the last line of the instruction.
void FileReader::warn_empty_line(std::size_t begin) {
  const std::string_view read =
      trim_last_newline(text_.substr(begin, at_ - begin));
  const std::size_t newline = read.rfind('\n');
  const std::size_t last = newline == std::string_view::npos ? 0 : newline + 1;
  file_.warnings.push_back({"NoEmptyContinuation",
                            "Empty continuation line",
                            {static_cast<std::uint32_t>(begin + last),
                             static_cast<std::uint32_t>(begin + read.size())}});
}

void FileReader::add(LineText line, std::size_t begin) {
  RawInstruction instruction;
  instruction.comments = comments_;
  instruction.line = std::move(line);
  const auto end_span = [&] {
    const std::string_view read =
        trim_last_newline(text_.substr(begin, at_ - begin));
    instruction.span = {static_cast<std::uint32_t>(begin),
                        static_cast<std::uint32_t>(begin + read.size())};
  };
  end_span();
  try {
    instruction.split = split_line(instruction.line, 0, file_.escape);
    if (takes_heredocs(instruction.split) &&
        instruction.line.text.find("<<") != std::string::npos)
      read_heredocs(instruction);
  } catch (const SyntaxError& e) {
    end_span();
    for (Diagnostic diagnostic : e.diagnostics()) {
      diagnostic.instruction = instruction.span;
      diagnostic.phase = Diagnostic::Phase::lines;
      file_.mistakes.push_back(std::move(diagnostic));
    }
    return;
  } catch (const Error& e) {
    file_.mistakes.push_back({e.what(), instruction.span, instruction.span,
                              Diagnostic::Phase::lines});
    return;
  }
  end_span();
  file_.instructions.push_back(std::move(instruction));
}

void FileReader::read_heredocs(RawInstruction& instruction) {
  const std::string& line = instruction.line.text;
  for (const std::string& word : heredoc_candidates(line)) {
    std::optional<Heredoc> heredoc = parse_heredoc_word(word);
    if (!heredoc) continue;
    const bool terminated = read_body(*heredoc);
    instruction.heredocs.push_back(std::move(*heredoc));
    if (terminated) continue;
    std::size_t at = line.find(word);
    if (at == std::string::npos) at = line.find("<<");
    throw SyntaxError(
        {{"unterminated heredoc", instruction.line.span_of(at, at + 2), {}}});
  }
}

bool FileReader::read_body(Heredoc& heredoc) {
  while (at_ < text_.size()) {
    const Line raw = next_line();
    std::string_view end = trim_newline(raw.text);
    if (heredoc.chomp)
      end.remove_prefix(std::min(end.find_first_not_of('\t'), end.size()));
    if (end == heredoc.name) {
      heredoc.content = heredoc.chomp ? without_leading_tabs(heredoc.written)
                                      : heredoc.written;
      return true;
    }
    heredoc.written += raw.text;
  }
  return false;
}

}  // namespace

void LineText::append(std::string_view piece, std::size_t offset) {
  pieces.push_back({text.size(), static_cast<std::uint32_t>(offset)});
  text += piece;
}

std::uint32_t LineText::offset_of(std::size_t at) const {
  const auto after = std::upper_bound(
      pieces.begin(), pieces.end(), at,
      [](std::size_t value, const Piece& piece) { return value < piece.at; });
  const Piece& piece = after == pieces.begin() ? pieces.front() : after[-1];
  return piece.offset + static_cast<std::uint32_t>(at - piece.at);
}

Span LineText::span_of(std::size_t begin, std::size_t end) const {
  if (begin >= end) return {offset_of(begin), offset_of(begin)};
  // The end by its last byte: one past it may be in another piece.
  return {offset_of(begin), offset_of(end - 1) + 1};
}

RawFile read_lines(std::string_view text) { return FileReader(text).read(); }

}  // namespace cbuild::parser
