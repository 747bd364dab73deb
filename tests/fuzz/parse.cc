// A whole Dockerfile: its tree can be printed, or each mistake has its place.
#include "parser/parse.h"

#include "parser/dump.h"
#include "parser/heredoc.h"
#include "tests/fuzz/target.h"

namespace cbuild::parser {
namespace {

void check_span(const Span& span, std::string_view text) {
  MUST(span.begin <= span.end);
  MUST(span.end <= text.size());
}

void check_instruction(const Instruction& instruction, std::string_view text) {
  check_span(instruction.span, text);
  if (const Run* run = std::get_if<Run>(&instruction.node)) shell_text(*run);
  const Onbuild* onbuild = std::get_if<Onbuild>(&instruction.node);
  if (!onbuild) return;
  try {
    parse_onbuild(onbuild->expression);
  } catch (const SyntaxError&) {  // may be: it is read with another escape
  }
}

void check_file(const ParsedFile& file, std::string_view text) {
  MUST(!file.stages.empty() || !file.global_args.empty());
  for (const Stage& stage : file.stages) {
    MUST(std::holds_alternative<From>(stage.from.node));
    for (const Instruction& instruction : stage.instructions)
      check_instruction(instruction, text);
  }
  for (const Warning& warning : file.warnings) check_span(warning.span, text);
  MUST(!dump(file, text).empty());
}

void check_mistakes(const SyntaxError& error, std::string_view text) {
  MUST(!error.diagnostics().empty());
  for (const Diagnostic& mistake : error.diagnostics()) {
    MUST(!mistake.message.empty());
    check_span(mistake.span, text);
    check_span(mistake.instruction, text);
  }
  error.located("Dockerfile", text);
}

}  // namespace
}  // namespace cbuild::parser

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace cbuild::parser;
  const std::string_view text = cbuild::fuzz::text_of(data, size);
  try {
    check_file(parse(text), text);
  } catch (const SyntaxError& e) {
    check_mistakes(e, text);
  }
  return 0;
}
