// The build checks that are made while a stage is planned.
#include <algorithm>

#include "base/text.h"
#include "builder/checks_from.h"
#include "builder/planner.h"

namespace cbuild::builder {
namespace {

// Names that FROM lines may use: platform words and every global ARG, with a
// value or without.
std::vector<std::string> from_names(const parser::ParsedFile& file,
                                    const GlobalScope& scope) {
  std::vector<std::string> names = scope.variables.names();
  for (const parser::Instruction& instruction : file.global_args)
    for (const auto& arg : std::get<parser::Arg>(instruction.node).declarations)
      names.push_back(arg.name.raw);
  return names;
}

bool excludes_everything(const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [](const auto& p) {
    return p == "*" || p == "**" || p == "**/*";
  });
}

}  // namespace

void Planner::check_from_lines(const parser::ParsedFile& file) {
  const GlobalScope defaults = global_scope(file, {}, build_platform_,
                                            target_platform_, request_.target);
  check_default_bases(file, defaults.variables, checks_);
  const std::vector<std::string> names = from_names(file, scope_);
  for (const parser::Stage& stage : file.stages)
    check_from(stage.from, scope_, names, checks_);
}

std::string Planner::expand(const StageState& state, const parser::Word& word) {
  parser::Expansion expansion =
      expand_named(word, state.variables, scope_.escape);
  check_unset(state, expansion.unset);
  return std::move(expansion.text);
}

void Planner::check_unset(const StageState& state,
                          const std::set<std::string>& unset) {
  for (const std::string& name : unset) {
    // A declared ARG without a value is defined, but never suggested.
    const bool declared =
        std::any_of(state.args.begin(), state.args.end(),
                    [&](const auto& arg) { return arg.first == name; });
    if (declared) continue;
    const auto near = nearest(name, state.variables.names(), false);
    checks_.report("UndefinedVar",
                   "Usage of undefined variable '$" + name + "'" +
                       (near ? " (did you mean $" + *near + "?)" : ""),
                   current_->instruction.span);
  }
}

void Planner::check_once(std::optional<parser::Span>& last) {
  if (last)
    checks_.report("MultipleInstructionsDisallowed",
                   "Multiple " + current_->instruction.keyword +
                       " instructions should not be used in the same stage "
                       "because only the last one will be used",
                   *last);
  last = current_->instruction.span;
}

void Planner::check_json_form(const StageState& state,
                              const parser::Command& command) {
  if (!command.shell || !state.image.config.shell.empty()) return;
  checks_.report("JSONArgsRecommended",
                 "JSON arguments recommended for " +
                     current_->instruction.keyword +
                     " to prevent unintended behavior related to OS signals",
                 current_->instruction.span);
}

void Planner::check_pairs(const std::vector<parser::KeyValue>& pairs) {
  const std::string& word = current_->instruction.keyword;
  for (const parser::KeyValue& pair : pairs)
    if (pair.legacy)
      checks_.report("LegacyKeyValueFormat",
                     "\"" + word +
                         " key=value\" should be used instead of "
                         "legacy \"" +
                         word + " key value\" format",
                     current_->instruction.span);
}

void Planner::check_secret(const char* instruction, const std::string& name) {
  if (looks_secret(name))
    checks_.report("SecretsUsedInArgOrEnv",
                   std::string("Do not use ARG or ENV instructions for "
                               "sensitive data (") +
                       instruction + " " + go_quote(name) + ")",
                   current_->instruction.span);
}

// One pattern with '!' turns the rule off: whether a source is excluded cannot
// be told from the patterns alone then.
void Planner::check_ignored(const parser::Copy& copy, const CopyStep& step) {
  const std::vector<std::string>& patterns = contexts_.main_ignore().patterns;
  if (patterns.empty()) return;
  const parser::IgnoreMatcher matcher(patterns);
  if (matcher.has_exclusions()) return;
  for (std::size_t i = 0; i < step.spec.sources.size(); ++i) {
    if (step.remotes.contains(i)) continue;
    const std::string source = clean_path(step.spec.sources[i]);
    if ((source == "." || source == "/") && !excludes_everything(patterns))
      continue;
    if (matcher.matches(source))
      checks_.report("CopyIgnoredFile",
                     std::string("Attempting to ") +
                         (copy.add ? "Add" : "Copy") + " file " +
                         go_quote(source) +
                         " that is excluded by .dockerignore",
                     current_->instruction.span);
  }
}

void Planner::check_ports(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    const std::size_t slash = word.rfind('/');
    const std::string proto =
        slash == std::string::npos ? "" : word.substr(slash + 1);
    if (proto != to_lower(proto))
      checks_.report("ExposeProtoCasing",
                     "Defined protocol '" + word +
                         "' in EXPOSE instruction should be lowercase",
                     current_->instruction.span);
    if (word.find(':') != std::string::npos)
      checks_.report("ExposeInvalidFormat",
                     "EXPOSE instruction should not define an IP address or "
                     "host-port mapping, found '" +
                         word + "'",
                     current_->instruction.span);
  }
}

}  // namespace cbuild::builder
