// The instructions that change the config, and WORKDIR.
#include "base/text.h"
#include "builder/image_config.h"
#include "builder/planner.h"
#include "builder/scanner_switch.h"

namespace cbuild::builder {
namespace {

// Messages of the config's own rules get the place of their instruction.
template <typename Body>
void at(parser::Span span, Body&& body) {
  try {
    body();
  } catch (const parser::SyntaxError&) {
    throw;
  } catch (const Error& e) {
    throw mistake(span, e.what());
  }
}

}  // namespace

// One overload for each instruction; none of them catches all.
struct Planner::PlanInstruction {
  Planner& self;
  StageIndex index;
  const StageCommand& command;
  StageState& state;

  store::ImageConfig& image() const { return state.image; }
  parser::Span span() const { return command.instruction.span; }

  // All words of one instruction see the variables from before it.
  Pairs expanded(const std::vector<parser::KeyValue>& list) const {
    Pairs pairs;
    for (const parser::KeyValue& pair : list)
      pairs.emplace_back(self.expand(state, pair.key),
                         self.expand(state, pair.value));
    self.check_pairs(list);
    return pairs;
  }

  void operator()(const parser::From&) const {}  // never inside a stage
  void operator()(const parser::Run& run) const {
    self.plan_run(index, command, run);
  }
  void operator()(const parser::Copy& copy) const {
    self.plan_copy(index, command, copy);
  }
  void operator()(const parser::Workdir& workdir) const {
    self.plan_workdir(index, command, workdir);
  }
  void operator()(const parser::Arg& arg) const { self.plan_arg(state, arg); }
  void operator()(const parser::Cmd& cmd) const {
    self.check_once(state.cmd_at);
    self.check_json_form(state, cmd.command);
    apply_cmd(image(), cmd.command);
  }
  void operator()(const parser::Entrypoint& entrypoint) const {
    self.check_once(state.entrypoint_at);
    self.check_json_form(state, entrypoint.command);
    apply_entrypoint(image(), entrypoint.command, state.cmd_at.has_value());
  }
  void operator()(const parser::Env& env) const {
    const Pairs list = expanded(env.pairs);
    for (const auto& [key, value] : list) {
      self.check_secret("ENV", key);
      state.variables.set(key, value);
    }
    apply_env(image(), list);
  }
  void operator()(const parser::Label& label) const {
    apply_label(image(), expanded(label.pairs));
  }
  void operator()(const parser::Expose& expose) const {
    self.plan_expose(state, expose);
  }
  void operator()(const parser::Volume& volume) const {
    std::vector<std::string> paths;
    for (const parser::Word& word : volume.paths)
      paths.push_back(self.expand(state, word));
    at(span(), [&] { apply_volume(image(), paths); });
  }
  void operator()(const parser::User& user) const {
    apply_user(image(), self.expand(state, user.user));
  }
  void operator()(const parser::StopSignal& stop) const {
    const std::string signal = self.expand(state, stop.signal);
    at(stop.signal.span, [&] { apply_stop_signal(image(), signal); });
  }
  void operator()(const parser::Healthcheck& check) const {
    self.check_once(state.healthcheck_at);
    apply_healthcheck(image(), check);
  }
  void operator()(const parser::Shell& shell) const {
    apply_shell(image(), shell.argv);
  }
  void operator()(const parser::Onbuild& onbuild) const {
    image().config.on_build.push_back(onbuild.expression);
  }
  void operator()(const parser::Maintainer& maintainer) const {
    apply_maintainer(image(), maintainer.name);
  }
};

void Planner::plan_command(StageIndex index, const StageCommand& command) {
  std::visit(PlanInstruction{*this, index, command, states_[index]},
             command.instruction.node);
}

// Unlike ENV, the declarations of one ARG line see each other.
void Planner::plan_arg(StageState& state, const parser::Arg& arg) {
  std::string text = "ARG";
  for (const parser::ArgDeclaration& declaration : arg.declarations) {
    const std::string& name = declaration.name.raw;
    check_secret("ARG", name);
    std::optional<std::string> value;
    bool inherited = false;  // from before the first FROM
    const auto given = build_args_.values.find(name);
    if (given != build_args_.values.end()) {
      value = given->second;
    } else if (declaration.value) {
      value = expand(state, *declaration.value);
    } else {
      value = scope_.variables.get(name);
      inherited = value.has_value();
    }
    state.outline.used.insert(name);
    if (!inherited)
      state.outline.args[name] = {name,
                                  value.value_or(""),
                                  declaration.doc,
                                  current_->instruction.span,
                                  {}};
    if (value && !is_scanner_switch(name)) state.variables.set(name, *value);
    state.args.emplace_back(name, value);
    text += " " + name + (value ? "=" + *value : "");
  }
  add_history(state.image, text, true);
}

void Planner::plan_expose(StageState& state, const parser::Expose& expose) {
  std::vector<std::pair<parser::Span, std::string>> words;
  for (const parser::Word& word : expose.ports)
    for (std::string& port : expand_words(word, state.variables, scope_.escape))
      words.emplace_back(word.span, std::move(port));
  std::vector<std::string> ports;
  for (const auto& [place, word] : words)
    at(place, [&, &port = word] {
      check_port(port);
      const std::vector<std::string> some = parse_ports(port);
      ports.insert(ports.end(), some.begin(), some.end());
    });
  apply_expose(state.image, ports);
}

void Planner::plan_workdir(StageIndex index, const StageCommand& command,
                           const parser::Workdir& workdir) {
  StageState& state = states_[index];
  const std::string written = expand(state, workdir.path);
  if (!state.workdir_set && (written.empty() || written[0] != '/'))
    checks_.report("WorkdirRelativePath",
                   "Relative workdir " + go_quote(written) +
                       " can have unexpected results if the base image changes",
                   command.instruction.span);
  state.workdir_set = true;
  const std::string path =
      normalize_path(state.image.config.working_dir, written, false);
  state.image.config.working_dir = path;
  if (path != "/") {
    if (!state.top)
      check_owner(state.image.config.user, command.instruction.span);
    Step step;
    // BuildKit makes the directory by its clean path, and keeps the other.
    step.node = WorkdirStep{clean_path(path), state.image.config.user};
    step.name = display_name(index, command, false);
    step.span = command.instruction.span;
    state.top = add_step(index, std::move(step));
  }
  add_history(state.image, "WORKDIR " + path, path == "/");
}

}  // namespace cbuild::builder
