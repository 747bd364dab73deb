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

// The first mention of a secret or socket counts.
void note_mount(const parser::RunMount& mount, parser::Span span,
                StageOutline& outline) {
  if (mount.type == parser::RunMount::Type::secret) {
    std::string id = mount.source.empty() ? mount.id : mount.source;
    if (id.empty()) id = mount.target.substr(mount.target.rfind('/') + 1);
    outline.secrets.try_emplace(id, OutlineMount{id, mount.required, span});
  } else if (mount.type == parser::RunMount::Type::ssh) {
    const std::string id = mount.id.empty() ? "default" : mount.id;
    outline.ssh.try_emplace(id, OutlineMount{id, mount.required, span});
  }
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
  check_run(state, run, node);
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
  step.architecture = state.platform.architecture;
  const auto hostname = build_args_.values.find("BUILDKIT_SANDBOX_HOSTNAME");
  if (hostname != build_args_.values.end()) step.hostname = hostname->second;
  run_options(run, command.instruction.span, step);
  std::size_t ssh_mounts = 0;
  for (std::size_t i = 0; i < run.mounts.size(); ++i) {
    step.mounts.push_back(run_mount(index, command, i, run));
    if (step.mounts.back().mount.type == parser::RunMount::Type::ssh)
      place_ssh_mount(step, ssh_mounts++, step.mounts.back());
  }
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
    if (!options_.judge && !request_.allow_network_host)
      throw mistake(
          span,
          "entitlement network.host is not allowed: RUN --network=host needs "
          "--allow network.host");
    step.network = runtime::NetworkMode::host;
  }
  if (run.security == "insecure") {
    if (!options_.judge && !request_.allow_security_insecure)
      throw mistake(span,
                    "entitlement security.insecure is not allowed: RUN "
                    "--security=insecure needs --allow security.insecure");
    step.insecure = true;
  }
  if (options_.judge) return;  // what the machine has does not matter
  for (const parser::Word& word : run.devices) add_device(word, step);
}

void Planner::add_device(const parser::Word& word, RunStep& step) {
  const parser::RunDevice device = parser::parse_run_device(word.raw);
  const std::vector<DeviceEdits> found =
      find_devices(request_.cdi_directories, device.name);
  if (found.empty() && device.required)
    throw mistake(word.span, "required CDI device " + go_quote(device.name) +
                                 " is not registered");
  for (const DeviceEdits& edits : found) {
    const auto& named = request_.allowed_devices;
    const bool allowed =
        request_.allow_devices || edits.auto_allowed ||
        std::any_of(named.begin(), named.end(), [&](const std::string& name) {
          return name == device.name || name == edits.name;
        });
    if (!allowed)
      throw mistake(word.span, "device " + edits.name +
                                   " is requested by the build but not "
                                   "allowed: it needs --allow device=" +
                                   edits.name);
    step.device_edits.push_back(edits);
  }
  step.devices.push_back(device);
}

// The socket of the Nth ssh mount, where no target is given; the first one is
// where programs look.
void Planner::place_ssh_mount(RunStep& step, std::size_t number,
                              MountStep& mount) {
  if (mount.mount.id.empty()) mount.mount.id = "default";
  if (mount.mount.target.empty())
    mount.target = "/run/buildkit/ssh_agent." + std::to_string(number);
  const bool known = std::any_of(
      step.env.begin(), step.env.end(),
      [](const auto& entry) { return entry.starts_with("SSH_AUTH_SOCK="); });
  if (!known) step.env.push_back("SSH_AUTH_SOCK=" + mount.target);
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
  } catch (const Error& e) {
    check_unset(state, unset);
    throw mistake(word.span, e.what());
  }
  check_unset(state, unset);
  using Type = parser::RunMount::Type;
  note_mount(step.mount, command.instruction.span, state.outline);
  // Without a target a secret may be a variable only, and a socket has a place
  // of its own.
  const bool untargeted = (step.mount.type == Type::secret && step.mount.env) ||
                          step.mount.type == Type::ssh;
  if (!untargeted || !step.mount.target.empty())
    step.target = mount_target(step.mount, state.image.config.working_dir,
                               word.span);
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
