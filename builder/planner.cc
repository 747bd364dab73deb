#include "builder/planner.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "builder/checks_from.h"
#include "builder/failures.h"
#include "builder/image_config.h"
#include "builder/source_epoch.h"
#include "registry/errors.h"

namespace cbuild::builder {
namespace {

constexpr const char* kScratch = "scratch";

// Expands a whole line for display; what cannot be expanded is shown as it is.
std::string expanded_line(const std::string& line, const Variables& variables,
                          char escape, bool raw_quotes) {
  try {
    return parser::expand(line, variables.lookup(),
                          {.escape = escape,
                           .raw_quotes = raw_quotes,
                           .skip_unset = raw_quotes})
        .text;
  } catch (const parser::ExpandError&) {
    return line;
  }
}

// "[build  2/12] ": the stage, and which of its steps this is.
std::string step_prefix(const StageNode& node, StageState& state) {
  const std::string total =
      std::to_string(std::max<std::size_t>(state.step_total, 1));
  std::string number = std::to_string(++state.step_number);
  number.insert(0, total.size() - std::min(total.size(), number.size()), ' ');
  return "[" + (node.display.empty() ? "" : node.display + " ") + number + "/" +
         total + "] ";
}

}  // namespace

Planner::Planner(const BuildRequest& request, PlanEnvironment& environment,
                 const parser::ParsedFile& file, Contexts& contexts,
                 Checks& checks, PlanOptions options)
    : request_(request),
      options_(options),
      environment_(environment),
      contexts_(contexts),
      checks_(checks),
      build_platform_(store::host_platform()),
      target_platform_(options.judge
                           ? build_platform_
                           : request.platform.value_or(build_platform_)),
      build_args_(read_build_args(request)),
      scope_(make_scope(file)),
      from_names_(from_names(file, scope_)),
      graph_(file, scope_, contexts.names(),
             [this](const parser::Stage& stage) {
               check_from(stage.from, scope_, from_names_, checks_);
             }),
      bases_(environment, request.pull),
      target_(graph_.target(request.target)) {
  read_epoch(file);
}

// Stages see the time itself, not where it came from.
void Planner::read_epoch(const parser::ParsedFile& file) {
  const std::string text = epoch_text(build_args_, scope_);
  // The time of a stage's source is in the network.
  if (options_.judge && graph_.find(text)) return;
  const auto epoch = resolve_epoch(text, file, build_args_, scope_, contexts_);
  plan_.source_date_epoch = epoch;
  const std::string value = epoch ? std::to_string(*epoch) : "";
  if (value == text) return;
  const auto given = build_args_.values.find("SOURCE_DATE_EPOCH");
  if (given != build_args_.values.end())
    given->second = value;
  else
    scope_.variables.set("SOURCE_DATE_EPOCH", value);
}

Plan Planner::make() {
  // Triggers may bring in stages and images, whose bases may bring triggers.
  bool grown = true;
  while (grown) {
    grown = false;
    resolve_bases();
    for (const StageIndex index : graph_.reachable_from(target_))
      grown |= add_triggers(index);
  }
  plan_stages();

  StageState& state = states_[target_];
  plan_.top = state.top;
  plan_.image = std::move(state.image);
  for (const auto& [key, value] : request_.labels)
    plan_.image.config.labels[key] = value;
  finish_platform(plan_.image);
  checks_.fail_if_asked();
  return std::move(plan_);
}

void Planner::plan_stages() {
  try {
    for (const StageIndex index : wanted())
      if (graph_.nodes()[index].image_only) plan_stage(index);
    for (const StageIndex index : wanted())
      if (!graph_.nodes()[index].image_only) plan_stage(index);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {
    if (mistakes_.empty()) throw;  // else it may come of them
  }
  if (!mistakes_.empty()) throw parser::SyntaxError(std::move(mistakes_));
}

std::set<StageIndex> Planner::wanted() const {
  if (!options_.all_stages) return graph_.reachable_from(target_);
  std::set<StageIndex> all;
  for (StageIndex i = 0; i < graph_.nodes().size(); ++i) all.insert(i);
  return all;
}

void Planner::finish_platform(store::ImageConfig& image) const {
  if (!request_.platform) return;
  const store::Platform& target = target_platform_;
  const bool same = image.platform.os == target.os &&
                    image.platform.architecture == target.architecture;
  image.platform.os = target.os;
  image.platform.architecture = target.architecture;
  if (!target.variant.empty() || !same) image.platform.variant = target.variant;
  if (!target.os_version.empty() || !same)
    image.platform.os_version = target.os_version;
}

void Planner::resolve_bases() {
  states_.resize(graph_.nodes().size());
  for (const StageNode& node : graph_.nodes())
    if (!node.base_stage && node.base != kScratch)
      check_base_name(node, node.base);
  for (const StageIndex index : wanted()) resolve_base(index);
}

void Planner::resolve_base(StageIndex index) {
  const StageNode& node = graph_.nodes()[index];
  StageState& state = states_[index];
  if (node.base_stage || state.base_image || state.context) return;
  state.platform = node.platform.value_or(target_platform_);
  const std::string& context_name = node.replaced ? node.name : node.base;
  if (auto directory = contexts_.directory(context_name, state.platform)) {
    state.context = std::move(directory);
    return;
  }
  if (const auto image = contexts_.image(context_name, state.platform)) {
    if (!image->layout.empty()) {
      state.base_image =
          bases_.resolve_layout(*image, context_name, state.platform);
    } else if (image->reference != kScratch) {
      check_base_name(node, image->reference);
      load_image(index, image->reference);
    }
  } else if (node.base != kScratch) {
    load_image(index, node.base);
    check_platform(node, state);
  }
}

void Planner::check_base_name(const StageNode& node,
                              const std::string& name) const {
  try {
    registry::Reference::parse(name);
  } catch (const registry::ReferenceError& e) {
    throw mistake(node.base_span, "failed to parse stage name " +
                                      go_quote(name) + ": " + e.what());
  }
}

void Planner::load_image(StageIndex index, const std::string& name) {
  StageState& state = states_[index];
  if (options_.judge && !request_.pull) {
    state.base_image = bases_.known(name, state.platform);
    if (!state.base_image) state.unknown_base = name;
    return;
  }
  try {
    state.base_image = bases_.resolve(name, state.platform);
  } catch (const Interrupted&) {
    throw;
  } catch (Error& e) {
    failed_at_ = graph_.nodes()[index].base_span;
    const auto* missing = dynamic_cast<const registry::RegistryError*>(&e);
    if (missing && missing->status() != 0)
      e = Error(e.what() + suggest_image(name, stage_names()));
    throw;
  }
}

std::vector<std::string> Planner::stage_names() const {
  std::vector<std::string> names;
  for (const StageNode& node : graph_.nodes())
    if (!node.name.empty()) names.push_back(node.name);
  return names;
}

bool Planner::add_triggers(StageIndex index) {
  StageState& state = states_[index];
  if (state.triggers_added) return false;
  state.triggers_added = true;
  const StageNode& node = graph_.nodes()[index];
  std::vector<std::string> triggers;
  if (state.base_image && !node.image_only)
    triggers = state.base_image->image.config.config.on_build;
  if (node.base_stage)
    for (const StageCommand& command :
         graph_.nodes()[*node.base_stage].commands)
      if (const auto* onbuild =
              std::get_if<parser::Onbuild>(&command.instruction.node))
        triggers.push_back(onbuild->expression);
  return !triggers.empty() && graph_.add_triggers(index, triggers);
}

void Planner::plan_stage(StageIndex index) {
  StageState& state = states_[index];
  const StageNode& node = graph_.nodes()[index];
  inherit(index);
  state.planned = node.image_only;
  if (node.image_only) return;
  // Triggers of a base are its own; what is stored is what stands here.
  state.image.config.on_build.clear();
  state.planned = true;
  check_stage_args(index);
  for (const StageCommand& command : node.commands) {
    if (state.spoiled) return;
    plan_next(index, command);
  }
}

void Planner::plan_next(StageIndex index, const StageCommand& command) {
  current_ = &command;
  // A trigger's comments are in another file.
  checks_.enter(command.onbuild ? std::vector<std::string>()
                                : command.instruction.comments);
  try {
    plan_command(index, command);
  } catch (const parser::SyntaxError& e) {
    const parser::SyntaxError placed = e.within(command.instruction.span);
    mistakes_.insert(mistakes_.end(), placed.diagnostics().begin(),
                     placed.diagnostics().end());
    const auto& node = command.instruction.node;
    states_[index].spoiled = std::holds_alternative<parser::Arg>(node) ||
                             std::holds_alternative<parser::Env>(node);
    checks_.stop();
  }
  checks_.leave();
}

// Starts the stage from its base: an image, a stage, a directory or nothing.
void Planner::inherit(StageIndex index) {
  StageState& state = states_[index];
  const StageNode& node = graph_.nodes()[index];
  state.step_total = count_steps(index);
  state.outline.args = scope_.outline.args;
  if (!node.replaced) state.outline.used = node.from_variables;
  if (node.base_stage) {
    const StageState& base = states_[*node.base_stage];
    state.platform = base.platform;
    state.image = base.image;
    state.args = base.args;
    state.variables = base.variables;
    state.top = base.top;
    state.workdir_set = base.workdir_set;
    state.unknown_base = base.unknown_base;
    state.spoiled = base.spoiled;
    return;
  }
  if (!state.base_image) {
    state.image = empty_image(state.platform);
    enter_base_config(state);
    if (!state.context) return;
    CopyStep copy;
    copy.origin = *state.context;
    copy.spec.sources = {"."};
    copy.spec.destination = "/";
    Step step;
    step.node = std::move(copy);
    step.name = "[context " + node.base + "] load " + state.context->name;
    state.top = add_step(index, std::move(step));
    return;
  }
  state.image = state.base_image->image.config;
  state.image.created.clear();
  enter_base_config(state);
  if (state.base_image->image.manifest.layers.empty()) return;
  Step step;
  step.name =
      step_prefix(node, state) + "FROM " + state.base_image->reference.text();
  step.node = *state.base_image;
  state.top = add_step(index, std::move(step));
}

void Planner::enter_base_config(StageState& state) {
  auto& config = state.image.config;
  const bool has_path = std::any_of(
      config.env.begin(), config.env.end(),
      [](const std::string& e) { return e.rfind("PATH=", 0) == 0; });
  if (!has_path) config.env.push_back(kDefaultPath);
  for (const std::string& entry : config.env) {
    const std::size_t equals = entry.find('=');
    state.variables.set(
        entry.substr(0, equals),
        equals == std::string::npos ? "" : entry.substr(equals + 1));
  }
  if (!config.working_dir.empty())
    config.working_dir = normalize_path("", config.working_dir, false);
}

std::size_t Planner::count_steps(StageIndex index) const {
  const StageNode& node = graph_.nodes()[index];
  std::size_t total = !node.base_stage && node.base != kScratch ? 1 : 0;
  for (const StageCommand& command : node.commands) {
    const auto& step = command.instruction.node;
    total += std::holds_alternative<parser::Run>(step) ||
             std::holds_alternative<parser::Copy>(step) ||
             std::holds_alternative<parser::Workdir>(step);
  }
  return total;
}

std::string Planner::display_name(StageIndex index, const StageCommand& command,
                                  bool raw_quotes) {
  StageState& state = states_[index];
  const StageNode& node = graph_.nodes()[index];
  std::string line =
      expanded_line(std::string(trim(command.instruction.original)),
                    state.variables, scope_.escape, raw_quotes);
  const std::size_t blank = std::min(line.find_first_of(" \t"), line.size());
  line.replace(0, blank, to_upper(line.substr(0, blank)));
  return step_prefix(node, state) + (command.onbuild ? "ONBUILD " : "") + line;
}

StepId Planner::add_step(StageIndex index, Step step) {
  step.id = plan_.steps.size();
  step.parent = states_[index].top;
  step.stage = graph_.nodes()[index].display;
  if (step.span == parser::Span{}) step.span = graph_.nodes()[index].span;
  step.no_cache = no_cache(graph_.nodes()[index]);
  plan_.steps.push_back(std::move(step));
  return plan_.steps.back().id;
}

bool Planner::no_cache(const StageNode& node) const {
  if (request_.no_cache) return true;
  return std::any_of(
      request_.no_cache_filter.begin(), request_.no_cache_filter.end(),
      [&](const std::string& s) { return equals_ignore_case(s, node.name); });
}

FileOrigin Planner::origin_of(StageIndex source) {
  StageState& state = states_[source];
  FileOrigin origin;
  if (state.context && graph_.nodes()[source].commands.empty())
    return *state.context;
  origin.step = state.top;
  return origin;
}

Plan make_plan(const BuildRequest& request, PlanEnvironment& environment,
               const DockerfileText& file, const parser::ParsedFile& parsed,
               Contexts& contexts, Checks& checks) {
  Planner planner(request, environment, parsed, contexts, checks);
  try {
    return planner.make();
  } catch (const parser::SyntaxError&) {
    throw;
  } catch (Error& e) {
    if (planner.failed_at()) tell_place(e, file, *planner.failed_at());
    throw;
  }
}

}  // namespace cbuild::builder
