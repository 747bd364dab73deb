#include "builder/check.h"

#include <algorithm>

#include "builder/located.h"
#include "builder/planner.h"
#include "parser/parse.h"

namespace cbuild::builder {
namespace {

using parser::Diagnostic;
using parser::SyntaxError;

// The instruction `span` lies in, or `span`.
parser::Span instruction_at(const std::vector<parser::Span>& instructions,
                            parser::Span span) {
  for (const parser::Span& whole : instructions)
    if (whole.begin <= span.begin && span.begin < std::max(whole.end, span.end))
      if (span.end <= whole.end) return whole;
  return span;
}

// Lines that touch no others are ranges of their own.
std::vector<LineRange> merged(std::vector<LineRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](auto& a, auto& b) { return a.first < b.first; });
  std::vector<LineRange> result;
  for (const LineRange& range : ranges)
    if (!result.empty() && range.first <= result.back().last)
      result.back().last = std::max(result.back().last, range.last);
    else
      result.push_back(range);
  return result;
}

class Judge {
 public:
  Judge(const BuildRequest& request, PlanEnvironment& environment,
        Contexts& contexts, CheckReport& report)
      : request_(request),
        environment_(environment),
        contexts_(contexts),
        report_(report) {}

  void run() {
    try {
      checks_.emplace(check_config(request_, report_.file.text));
      judge();
    } catch (const SyntaxError& e) {
      note(e);
    } catch (const BuildArgError&) {
      throw;
    } catch (const UsageError& e) {
      report_.error =
          CheckError{.message = e.what(), .cause = std::current_exception()};
    }
    if (checks_) report_.findings = checks_->findings();
  }

 private:
  void judge() {
    const parser::ParsedFile file = parse();
    check_file(file, *checks_);
    Planner planner(request_, environment_, file, contexts_, *checks_,
                    {.judge = true, .all_stages = request_.target.empty()});
    planner.make();
    report_.missed_images = planner.missed_images();
  }

  parser::ParsedFile parse() {
    try {
      parser::ParsedFile file = parser::parse(report_.file.text);
      for (const parser::Instruction& arg : file.global_args)
        instructions_.push_back(arg.span);
      for (const parser::Stage& stage : file.stages) {
        instructions_.push_back(stage.from.span);
        for (const parser::Instruction& instruction : stage.instructions)
          instructions_.push_back(instruction.span);
      }
      return file;
    } catch (const SyntaxError& e) {
      check_words(e.warnings(), *checks_);
      throw;
    }
  }

  // A mistake that the planner finds may have several places; of those the
  // parser finds only the first is BuildKit's.
  void note(const SyntaxError& e) {
    const Diagnostic& first = e.first();
    const std::string& text = report_.file.text;
    CheckError error{.message = first.message,
                     .directive = first.phase == Diagnostic::Phase::directives};
    for (const Diagnostic& diagnostic : e.diagnostics()) {
      const bool other =
          diagnostic.message != first.message ||
          diagnostic.instruction != first.instruction ||
          (first.phase != Diagnostic::Phase::file && &diagnostic != &first);
      if (other) continue;
      parser::Span span = diagnostic.instruction;
      if (span == parser::Span{} && diagnostic.span != parser::Span{})
        span = instruction_at(instructions_, diagnostic.span);
      if (span != parser::Span{}) error.lines.push_back(lines_of(text, span));
    }
    error.lines = merged(std::move(error.lines));
    if (first.phase == Diagnostic::Phase::instructions)
      error.message = "dockerfile parse error on line " +
                      std::to_string(error.lines.front().first) + ": " +
                      error.message;
    error.cause = std::make_exception_ptr(e.located(report_.file.name, text));
    report_.error = std::move(error);
  }

  const BuildRequest& request_;
  PlanEnvironment& environment_;
  Contexts& contexts_;
  CheckReport& report_;
  std::optional<Checks> checks_;
  std::vector<parser::Span> instructions_;
};

}  // namespace

LineRange lines_of(std::string_view text, parser::Span span) {
  const std::uint32_t last = std::max(span.begin + 1, span.end) - 1;
  return {parser::position_of(text, span.begin).line,
          parser::position_of(text, last).line};
}

CheckReport check(const BuildRequest& request, PlanEnvironment& environment) {
  BuildSources sources(request, environment);
  CheckReport report;
  report.file = sources.file;
  Judge(request, environment, sources.contexts, report).run();
  return report;
}

OutlineReport outline(const BuildRequest& request,
                      PlanEnvironment& environment) {
  BuildSources sources(request, environment);
  OutlineReport report;
  report.file = sources.file;
  report.outline = located(report.file, [&] {
    Checks checks(check_config(request, report.file.text));
    const parser::ParsedFile file = parser::parse(report.file.text);
    check_file(file, checks);
    Planner planner(request, environment, file, sources.contexts, checks,
                    {.judge = true});
    planner.make();
    return planner.outline();
  });
  return report;
}

TargetsReport targets(const BuildRequest& request,
                      PlanEnvironment& environment) {
  const BuildSources sources(request, environment);
  TargetsReport report;
  report.file = sources.file;
  const parser::ParsedFile file =
      located(report.file, [&] { return parser::parse(report.file.text); });
  for (const parser::Stage& stage : file.stages) {
    const auto& from = std::get<parser::From>(stage.from.node);
    report.targets.push_back({from.name, stage.doc, from.base.raw,
                              from.platform ? from.platform->raw : "",
                              stage.from.span});
  }
  return report;
}

}  // namespace cbuild::builder
