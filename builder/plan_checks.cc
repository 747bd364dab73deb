// The build checks that are made while a stage is planned.
#include <algorithm>

#include "base/text.h"
#include "builder/checks_from.h"
#include "builder/image_config.h"
#include "builder/planner.h"
#include "builder/scanner_switch.h"
#include "parser/heredoc.h"

namespace cbuild::builder {
namespace {

bool excludes_everything(const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [](const auto& p) {
    return p == "*" || p == "**" || p == "**/*";
  });
}

}  // namespace

// Base names are judged by the defaults alone, before a value that was given
// hides them.
GlobalScope Planner::make_scope(const parser::ParsedFile& file) {
  GlobalScope scope = platform_scope(file, build_args_, build_platform_,
                                     target_platform_, request_.target);
  GlobalScope defaults = scope;
  bool expands = true;
  try {
    declare_global_args(file, {}, defaults);
  } catch (const parser::SyntaxError&) {
    expands = false;  // told below, unless a value makes it good
  }
  if (expands) check_default_bases(file, defaults.variables, checks_);
  declare_global_args(file, build_args_, scope);
  return scope;
}

void Planner::check_platform(const StageNode& node, const StageState& state) {
  if (!state.base_image) return;
  const store::ImageConfig& config = state.base_image->image.config;
  const store::Platform& got = config.platform;
  const store::Platform& want = state.platform;
  if (config.diff_ids.empty() ||
      (got.os == want.os && got.architecture == want.architecture))
    return;
  checks_.report("InvalidBaseImagePlatform",
                 "Base image " + node.base + " was pulled with platform " +
                     go_quote(got.text()) + ", expected " +
                     go_quote(want.text()) + " for current build",
                 node.span);
}

std::string Planner::expand(const StageState& state, const parser::Word& word) {
  try {
    parser::Expansion expansion = parser::expand(
        word.raw, state.variables.lookup(), {.escape = scope_.escape});
    check_unset(state, expansion.unset);
    return std::move(expansion.text);
  } catch (const parser::ExpandError& e) {
    check_unset(state, e.unset);
    throw unexpandable(word, e);
  }
}

void Planner::check_unset(const StageState& state,
                          const std::set<std::string>& unset) {
  for (const std::string& name : unset) {
    // A declared ARG without a value is defined, but never suggested.
    const bool declared =
        std::any_of(state.args.begin(), state.args.end(),
                    [&](const auto& arg) { return arg.first == name; });
    if (declared || is_scanner_switch(name)) continue;
    if (!state.unknown_base.empty()) missed_images_.insert(state.unknown_base);
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

void Planner::check_port(const std::string& word) {
  const PortWord port = split_port(word);
  if (port.protocol != to_lower(port.protocol))
    checks_.report("ExposeProtoCasing",
                   "Defined protocol '" + word +
                       "' in EXPOSE instruction should be lowercase",
                   current_->instruction.span);
  if (!port.ip.empty() || !port.host.empty())
    checks_.report("ExposeInvalidFormat",
                   "EXPOSE instruction should not define an IP address or "
                   "host-port mapping, found '" +
                       word + "'",
                   current_->instruction.span);
}

void Planner::check_run(StageState& state, const parser::Run& run,
                        const RunStep& step) {
  const std::vector<ShellCommand> commands =
      run.command.shell ? shell_commands(parser::shell_text(run))
                        : std::vector<ShellCommand>{run.command.argv};
  const parser::Lookup lookup = state.variables.lookup();
  if (checks_.speaks(*find_rule("FilesStoredTwice")))
    for (std::string& message :
         stored_twice(commands, step.cwd, lookup, state.brought))
      checks_.report("FilesStoredTwice", std::move(message),
                     current_->instruction.span);
  state.brought.push_back(brought_by_run(commands, step.cwd, lookup));
  state.brought.back().line = current_->instruction.original;
}

void Planner::note_copy(StageState& state, const CopySpec& spec) {
  std::vector<std::string> sources = spec.sources;
  for (const InlineFile& file : spec.inline_files) sources.push_back(file.name);
  state.brought.push_back(brought_by_copy(sources, spec.destination));
  state.brought.back().line = current_->instruction.original;
}

void Planner::check_stage_args(StageIndex index) {
  std::vector<std::string> fixed;
  for (const auto& [name, value] : scope_.variables.list())
    if (scope_.outline.args.count(name) == 0) fixed.push_back(name);
  check_args(graph_.nodes()[index], fixed, checks_);
}

}  // namespace cbuild::builder
