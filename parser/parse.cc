#include "parser/parse.h"

#include <algorithm>

#include "base/text.h"
#include "parser/directives.h"
#include "parser/lines.h"
#include "parser/lint.h"
#include "parser/runes.h"
#include "parser/typed.h"

namespace cbuild::parser {
namespace {

Directives directives_of(std::string_view text, char escape) {
  Directives found;
  found.escape = escape;
  for (const Directive& directive : read_directives(text)) {
    // What follows a blank is for a frontend, or is nothing.
    const std::string word =
        directive.value.substr(0, directive.value.find(' '));
    if (directive.name == "syntax") found.syntax = word;
    if (directive.name == "check") found.check = word;
  }
  return found;
}

Instruction typed(RawInstruction& raw, std::vector<Warning>& warnings) {
  Instruction instruction;
  lint_words(raw, warnings);
  instruction.node = typed_node(raw);
  lint_description(raw, instruction.node, warnings);
  instruction.span = raw.span;
  instruction.keyword = raw.split.keyword;
  instruction.original = std::string(trim_space(raw.line.text));
  instruction.comments = std::move(raw.comments);
  return instruction;
}

// Sorts instructions into stages and collects what is wrong.
class Assembler {
 public:
  explicit Assembler(RawFile raw) : raw_(std::move(raw)) {
    mistakes_ = std::move(raw_.mistakes);
    if (mistakes_.empty()) file_.warnings = std::move(raw_.warnings);
  }

  ParsedFile assemble(std::string_view text) {
    for (RawInstruction& raw : raw_.instructions) add(raw);
    if (raw_.instructions.empty() && mistakes_.empty())
      mistakes_.push_back({text.empty() ? "the Dockerfile cannot be empty"
                                        : "file with no instructions",
                           {},
                           {}});
    if (!mistakes_.empty()) {
      std::stable_sort(mistakes_.begin(), mistakes_.end(),
                       [](const Diagnostic& a, const Diagnostic& b) {
                         return a.instruction.begin < b.instruction.begin;
                       });
      throw SyntaxError(std::move(mistakes_), std::move(file_.warnings));
    }
    file_.directives = directives_of(text, raw_.escape);
    return std::move(file_);
  }

 private:
  void add(RawInstruction& raw) {
    const Span span = raw.span;
    // Even a FROM that is wrong starts a stage: what follows is not to blame.
    in_stage_ |= equals_ignore_case(raw.split.keyword, "from");
    // What is found after a mistake may only be its consequence.
    std::vector<Warning> later;
    Diagnostic::Phase phase = Diagnostic::Phase::instructions;
    try {
      Instruction instruction =
          typed(raw, mistakes_.empty() ? file_.warnings : later);
      phase = Diagnostic::Phase::file;
      place(std::move(instruction));
    } catch (const SyntaxError& e) {
      for (Diagnostic diagnostic : e.diagnostics()) {
        diagnostic.instruction = span;
        diagnostic.phase = phase;
        mistakes_.push_back(std::move(diagnostic));
      }
    } catch (const Error& e) {
      mistakes_.push_back({e.what(), span, span, phase});
    }
  }

  void place(Instruction instruction) {
    if (From* from = std::get_if<From>(&instruction.node)) {
      std::string doc = doc_comment(instruction.comments, from->name);
      file_.stages.push_back({std::move(instruction), {}, std::move(doc)});
    } else if (!file_.stages.empty()) {
      file_.stages.back().instructions.push_back(std::move(instruction));
    } else if (in_stage_) {
      return;
    } else if (std::holds_alternative<Arg>(instruction.node)) {
      file_.global_args.push_back(std::move(instruction));
    } else if (!told_no_stage_) {
      told_no_stage_ = true;
      throw Error("no build stage in current context");
    }
  }

  RawFile raw_;
  ParsedFile file_;
  std::vector<Diagnostic> mistakes_;
  bool in_stage_ = false;
  bool told_no_stage_ = false;
};

}  // namespace

ParsedFile parse(std::string_view text) {
  return Assembler(read_lines(text)).assemble(text);
}

Word check_directive(std::string_view text) {
  Word word;
  word.raw = directives_of(text, '\\').check;
  for (const Directive& directive : read_directives(text)) {
    if (directive.name != "check") continue;
    std::size_t start = 0;
    for (std::size_t line = 1; line < directive.line; ++line)
      start = text.find('\n', start) + 1;
    start = text.find(word.raw, text.find('=', start));
    word.span = {static_cast<std::uint32_t>(start),
                 static_cast<std::uint32_t>(start + word.raw.size())};
  }
  return word;
}

Instruction parse_onbuild(std::string_view text) {
  RawFile raw = read_lines(text);
  if (!raw.mistakes.empty()) throw SyntaxError(std::move(raw.mistakes));
  const Span all{0, static_cast<std::uint32_t>(text.size())};
  if (raw.instructions.empty())
    throw SyntaxError({{"file with no instructions", all, all}});
  if (raw.instructions.size() > 1)
    throw SyntaxError(
        {{"onbuild trigger should be a single expression", all, all}});
  std::vector<Warning> warnings;
  try {
    Instruction instruction = typed(raw.instructions[0], warnings);
    if (std::holds_alternative<From>(instruction.node))
      throw Error("FROM isn't allowed as an ONBUILD trigger");
    return instruction;
  } catch (const SyntaxError&) {
    throw;
  } catch (const Error& e) {
    throw SyntaxError({{e.what(), all, all}});
  }
}

}  // namespace cbuild::parser
