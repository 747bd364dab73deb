// RUN: what it starts, with which variables and mounts.
#include <algorithm>

#include "base/text.h"
#include "builder/image_config.h"
#include "builder/planner.h"
#include "parser/heredoc.h"

namespace cbuild::builder {
namespace {

constexpr const char* kScriptDir = "/dev/pipes/";

std::string summary(const std::string& body) {
  const std::vector<std::string> lines = split(body, '\n');
  const auto first =
      std::find_if(lines.begin(), lines.end(),
                   [](const auto& l) { return !trim(l).empty(); });
  if (first == lines.end()) return "";
  const bool more = std::any_of(first + 1, lines.end(),
                                [](const auto& l) { return !trim(l).empty(); });
  return std::string(trim(*first)) + (more ? "..." : "");
}

std::string mount_target(const parser::RunMount& mount,
                         const std::string& working_dir, parser::Span span) {
  std::string target = mount.target;
  if (mount.type == parser::RunMount::Type::secret) {
    if (target.empty()) {
      const std::string& id = mount.source.empty() ? mount.id : mount.source;
      target = "/run/secrets/" + id.substr(id.rfind('/') + 1);
    }
  }
  if (target.empty() || target[0] != '/') target = working_dir + "/" + target;
  target = clean_path("/" + target);
  if (target == "/")
    throw mistake(span, "invalid mount target " + go_quote(target));
  return target;
}

}  // namespace

std::string run_history(const std::vector<std::string>& argv,
                        const StageState& state) {
  std::vector<std::pair<std::string, std::string>> values;
  for (const auto& [name, declared] : state.args) {
    const std::string value =
        state.variables.get(name).value_or(declared.value_or(""));
    const auto known =
        std::find_if(values.begin(), values.end(),
                     [&](const auto& pair) { return pair.first == name; });
    if (known != values.end())
      known->second = value;
    else
      values.emplace_back(name, value);
  }
  std::vector<std::string> words;
  if (!values.empty()) words.push_back("|" + std::to_string(values.size()));
  for (const auto& [name, value] : values) words.push_back(name + "=" + value);
  words.insert(words.end(), argv.begin(), argv.end());
  return join(words, " ");
}

void Planner::plan_run(StageIndex index, const StageCommand& command,
                       const parser::Run& run) {
  StageState& state = states_[index];
  Step step;
  step.span = command.instruction.span;
  RunStep node = run_step(index, command, run);
  add_history(state.image,
              "RUN " + run_history(node.argv, state) + " # buildkit", false);
  step.name = display_name(index, command, true);
  if (parser::is_lone_heredoc(run))
    step.name += " (" + summary(run.heredocs.front().content) + ")";
  step.node = std::move(node);
  state.top = add_step(index, std::move(step));
}

RunStep Planner::run_step(StageIndex index, const StageCommand& command,
                          const parser::Run& run) {
  StageState& state = states_[index];
  RunStep step;
  run_command(state, run, step);
  if (step.argv.empty())
    throw mistake(command.instruction.span, "arguments are required");
  for (const auto& [name, value] : state.variables.list())
    step.env.push_back(name + "=" + value);
  for (const auto& [name, declared] : state.args) step.arg_names.insert(name);
  step.platform = state.platform;
  step.proxy_env = build_args_.proxy_env;
  step.cwd = state.image.config.working_dir.empty()
                 ? "/"
                 : state.image.config.working_dir;
  step.user = state.image.config.user;
  const auto hostname = build_args_.values.find("BUILDKIT_SANDBOX_HOSTNAME");
  if (hostname != build_args_.values.end()) step.hostname = hostname->second;
  run_options(run, command.instruction.span, step);
  for (std::size_t i = 0; i < run.mounts.size(); ++i)
    step.mounts.push_back(run_mount(index, command, i, run));
  // In the order they are mounted in, which is not the order they stand in.
  std::stable_sort(step.mounts.begin(), step.mounts.end(),
                   [](const MountStep& a, const MountStep& b) {
                     return a.target < b.target;
                   });
  return step;
}

void Planner::run_command(StageState& state, const parser::Run& run,
                          RunStep& step) {
  if (!run.command.shell) {
    step.argv = run.command.argv;
    return;
  }
  if (parser::is_lone_heredoc(run) &&
      run.heredocs.front().content.rfind("#!", 0) == 0) {
    const parser::Heredoc& script = run.heredocs.front();
    step.script = InlineFile{script.name, script.content};
    step.argv = with_shell(state.image, kScriptDir + script.name);
    return;
  }
  step.argv = with_shell(state.image, parser::shell_text(run));
}

void Planner::run_options(const parser::Run& run, parser::Span span,
                          RunStep& step) {
  if (run.network == "none") step.network = runtime::NetworkMode::none;
  if (run.network == "host") {
    if (!request_.allow_network_host)
      throw mistake(
          span,
          "entitlement network.host is not allowed: RUN --network=host needs "
          "--allow network.host");
    step.network = runtime::NetworkMode::host;
  }
  if (run.security == "insecure") {
    if (!request_.allow_security_insecure)
      throw mistake(span,
                    "entitlement security.insecure is not allowed: RUN "
                    "--security=insecure needs --allow security.insecure");
    step.insecure = true;
  }
  if (!run.devices.empty())
    throw mistake(span, "RUN --device is not supported yet");
}

MountStep Planner::run_mount(StageIndex index, const StageCommand& command,
                             std::size_t number, const parser::Run& run) {
  StageState& state = states_[index];
  const parser::Word& word = run.mounts[number];
  std::set<std::string> unset;
  const parser::Lookup lookup = [&](std::string_view name) {
    auto value = state.variables.get(name);
    if (!value) unset.insert(std::string(name));
    return value;
  };
  MountStep step;
  try {
    step.mount = parser::parse_run_mount(word.raw, &lookup, scope_.escape);
  } catch (const parser::SyntaxError&) {
    throw;
  } catch (const Error& e) {
    throw mistake(word.span, e.what());
  }
  check_unset(state, unset);
  using Type = parser::RunMount::Type;
  if (step.mount.type == Type::ssh)
    throw mistake(word.span, "RUN --mount=type=ssh is not supported yet");
  if (step.mount.type != Type::secret || !step.mount.env ||
      !step.mount.target.empty())
    step.target =
        mount_target(step.mount, state.image.config.working_dir, word.span);
  const auto space = build_args_.values.find("BUILDKIT_CACHE_MOUNT_NS");
  if (step.mount.type == Type::cache && space != build_args_.values.end() &&
      !space->second.empty())
    step.mount.id =
        space->second + "/" +
        (step.mount.id.empty() ? clean_path(step.mount.target) : step.mount.id);
  const auto source = command.sources.at(number);
  if (source && !states_[*source].planned)
    throw mistake(word.span,
                  "cannot mount from stage " + go_quote(step.mount.from) +
                      " to " + go_quote(step.mount.target) +
                      ", stage needs to be defined before current command");
  if (step.mount.type == Type::bind ||
      (source && step.mount.type == Type::cache)) {
    step.has_origin = true;
    step.origin = source ? origin_of(*source) : contexts_.main();
  }
  return step;
}

}  // namespace cbuild::builder
