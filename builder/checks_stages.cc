// Checks of the file as a whole: casing, stage names, and FROM lines with what
// they may name. These see every stage, also those the target does not need.
#include "base/text.h"
#include "builder/checks.h"
#include "builder/checks_from.h"
#include "parser/expand.h"
#include "registry/reference.h"
#include "store/platform.h"

namespace cbuild::builder {
namespace {

using parser::From;
using parser::Instruction;

template <typename Visit>
void each_instruction(const parser::ParsedFile& file, Visit&& visit) {
  for (const parser::Stage& stage : file.stages) {
    visit(stage.from);
    for (const Instruction& instruction : stage.instructions)
      visit(instruction);
  }
}

// The majority decides, upper case wins a tie; words of mixed case count for
// neither side.
void check_casing(const parser::ParsedFile& file, Checks& checks) {
  std::size_t lower = 0;
  std::size_t upper = 0;
  each_instruction(file, [&](const Instruction& instruction) {
    if (instruction.keyword == to_lower(instruction.keyword))
      ++lower;
    else if (instruction.keyword == to_upper(instruction.keyword))
      ++upper;
  });
  const bool want_lower = lower > upper;
  each_instruction(file, [&](const Instruction& instruction) {
    const std::string& word = instruction.keyword;
    if (word == (want_lower ? to_lower(word) : to_upper(word))) return;
    checks.report("ConsistentInstructionCasing",
                  "Command '" + word +
                      "' should match the case of the command majority (" +
                      (want_lower ? "lowercase" : "uppercase") + ")",
                  instruction.span);
  });
}

void check_stage_names(const parser::ParsedFile& file, Checks& checks) {
  std::set<std::string> seen;
  for (const parser::Stage& stage : file.stages) {
    const std::string& name = std::get<From>(stage.from.node).name;
    if (name.empty()) continue;
    if (name == "scratch" || name == "context")
      checks.report("ReservedStageName",
                    "Stage name should not use the same name as reserved "
                    "stage " +
                        go_quote(name),
                    stage.from.span);
    if (!seen.insert(name).second)
      checks.report("DuplicateStageName",
                    "Duplicate stage name " + go_quote(name) +
                        ", stage names should be unique",
                    stage.from.span);
  }
}

}  // namespace

void check_words(const std::vector<parser::Warning>& warnings, Checks& checks) {
  for (const parser::Warning& warning : warnings) {
    checks.enter(warning.comments);
    checks.report(warning.rule, warning.message, warning.span);
    checks.leave();
  }
}

void check_file(const parser::ParsedFile& file, Checks& checks) {
  check_words(file.warnings, checks);
  check_stage_names(file, checks);
  check_casing(file, checks);
}

void check_default_bases(const parser::ParsedFile& file,
                         const Variables& defaults, Checks& checks) {
  for (const parser::Stage& stage : file.stages) {
    const auto& from = std::get<From>(stage.from.node);
    std::string base;
    try {
      base = parser::expand(from.base.raw, defaults.lookup(),
                            {.escape = file.directives.escape})
                 .text;
    } catch (const parser::ExpandError&) {
      return;
    }
    if (!registry::Reference::try_parse(base))
      checks.report("InvalidDefaultArgInFrom",
                    "Default value for ARG " + from.base.raw +
                        " results in empty or invalid base image name",
                    stage.from.span);
  }
}

std::vector<std::string> from_names(const parser::ParsedFile& file,
                                    const GlobalScope& scope) {
  std::vector<std::string> names = scope.variables.names();
  for (const Instruction& instruction : file.global_args)
    for (const auto& arg : std::get<parser::Arg>(instruction.node).declarations)
      names.push_back(arg.name.raw);
  return names;
}

void check_from(const Instruction& instruction, const GlobalScope& scope,
                const std::vector<std::string>& names, Checks& checks) {
  const auto& from = std::get<From>(instruction.node);
  checks.enter(instruction.comments);
  const auto judge = [&](const std::set<std::string>& unset) {
    for (const std::string& name : unset)
      if (std::find(names.begin(), names.end(), name) == names.end())
        checks.report("UndefinedArgInFrom",
                      "FROM argument '" + name + "' is not declared" +
                          did_you_mean(name, names, false),
                      instruction.span);
  };
  const auto expanded = [&](const parser::Word& word) {
    try {
      parser::Expansion result = parser::expand(
          word.raw, scope.variables.lookup(), {.escape = scope.escape});
      judge(result.unset);
      return result;
    } catch (const parser::ExpandError& e) {
      judge(e.unset);
      throw;
    }
  };
  try {
    const bool blank = expanded(from.base).text.empty();
    if (from.platform && !blank) {
      const parser::Expansion result = expanded(*from.platform);
      if (result.used.size() == 1 && result.unset.empty() &&
          result.used.count("TARGETPLATFORM") > 0 &&
          result.text == scope.variables.get("TARGETPLATFORM"))
        checks.report("RedundantTargetPlatform",
                      "Setting platform to predefined " + from.platform->raw +
                          " in FROM is redundant as this is the default "
                          "behavior",
                      instruction.span);
      if (result.used.empty() && result.unset.empty()) {
        const store::Platform platform = store::parse_platform(result.text);
        if (from.name.find(platform.os) == std::string::npos &&
            from.name.find(platform.architecture) == std::string::npos)
          checks.report("FromPlatformFlagConstDisallowed",
                        "FROM --platform flag should not use constant value " +
                            go_quote(result.text),
                        instruction.span);
      }
    }
  } catch (const Error&) {
    // Planning the stage reports what is wrong with the line itself.
  }
  checks.leave();
}

}  // namespace cbuild::builder
