#include "builder/stage_graph.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "parser/mount.h"
#include "parser/parse.h"

namespace cbuild::builder {
namespace {

// Go's strconv.Atoi, as far as a stage index goes.
std::optional<long> as_index(const std::string& text) {
  long value = 0;
  const char* begin = text.data();
  const char* end = begin + text.size();
  if (begin != end && *begin == '+') ++begin;
  const auto [stop, code] = std::from_chars(begin, end, value);
  if (code != std::errc() || stop != end || begin == end) return std::nullopt;
  return value;
}

std::optional<store::Platform> from_platform(const parser::From& from,
                                             const GlobalScope& scope,
                                             std::set<std::string>& used) {
  if (!from.platform) return std::nullopt;
  const parser::Word& word = *from.platform;
  parser::Expansion expansion =
      expand_named(word, scope.variables, scope.escape);
  used.merge(expansion.used);
  const std::string& text = expansion.text;
  if (text.empty())
    throw mistake(word.span,
                  "empty platform value from expression " + word.raw);
  try {
    return store::parse_platform(text);
  } catch (const Error& e) {
    throw mistake(word.span, "failed to parse platform " + word.raw + ": " +
                                 e.what() + ": invalid argument");
  }
}

StageNode make_node(const parser::Stage& stage, std::size_t index,
                    const GlobalScope& scope) {
  const auto& from = std::get<parser::From>(stage.from.node);
  StageNode node;
  node.name = from.name;
  node.display =
      from.name.empty() ? "stage-" + std::to_string(index) : from.name;
  parser::Expansion base =
      expand_named(from.base, scope.variables, scope.escape);
  node.base = std::move(base.text);
  node.from_variables = std::move(base.used);
  node.description = stage.doc;
  if (node.base.empty())
    throw mistake(from.base.span,
                  "base name (" + from.base.raw + ") should not be blank");
  node.span = stage.from.span;
  node.base_span = from.base.span;
  node.platform = from_platform(from, scope, node.from_variables);
  return node;
}

}  // namespace

StageGraph::StageGraph(const parser::ParsedFile& file, const GlobalScope& scope,
                       const std::set<std::string>& contexts,
                       const std::function<void(const parser::Stage&)>& on_from)
    : escape_(scope.escape) {
  if (file.stages.empty())
    throw mistake({}, "dockerfile contains no stages to build");
  for (const parser::Stage& stage : file.stages) {
    on_from(stage);
    nodes_.push_back(make_node(stage, nodes_.size(), scope));
    StageNode& node = nodes_.back();
    node.replaced = !node.name.empty() && contexts.count(node.name) > 0;
    if (!node.replaced) {
      const auto base = by_name_.find(node.base);
      if (base != by_name_.end()) node.base_stage = base->second;
    }
    register_name(nodes_.size() - 1);
  }
  const std::size_t stages = nodes_.size();
  for (StageIndex i = 0; i < stages; ++i) {
    if (nodes_[i].replaced) continue;
    for (const parser::Instruction& instruction : file.stages[i].instructions) {
      StageCommand command = resolve(instruction);
      add_dependencies(nodes_[i], command);
      nodes_[i].commands.push_back(std::move(command));
    }
  }
  check_cycles();
  if (nodes_.size() == 1) nodes_[0].display.clear();
}

void StageGraph::register_name(StageIndex index) {
  if (!nodes_[index].name.empty())
    by_name_[to_lower(nodes_[index].name)] = index;
}

StageCommand StageGraph::resolve(parser::Instruction instruction) {
  StageCommand command;
  if (const auto* copy = std::get_if<parser::Copy>(&instruction.node)) {
    if (const auto source = copy_source(*copy, copy->from_span))
      command.sources = {source};
  } else if (const auto* run = std::get_if<parser::Run>(&instruction.node)) {
    for (const parser::Word& word : run->mounts) {
      const parser::RunMount mount =
          parser::parse_run_mount(word.raw, nullptr, escape_);
      command.sources.push_back(
          mount.from.empty()
              ? std::nullopt
              : std::optional(mount_source(mount.from, word.span)));
    }
  }
  command.instruction = std::move(instruction);
  return command;
}

std::optional<StageIndex> StageGraph::copy_source(const parser::Copy& copy,
                                                  parser::Span span) {
  if (copy.from.empty()) return std::nullopt;
  const auto nothing = [](std::string_view) -> std::optional<std::string> {
    return std::nullopt;
  };
  if (parser::expand(copy.from, nothing, {.escape = escape_}).text != copy.from)
    throw mistake(span,
                  "variable expansion is not supported for --from, define a "
                  "new stage with FROM using ARG from global scope as a "
                  "workaround");
  if (const auto index = as_index(copy.from)) {
    if (*index < 0 || static_cast<std::size_t>(*index) >= nodes_.size())
      throw mistake(span, "invalid stage index " + std::to_string(*index));
    return static_cast<StageIndex>(*index);
  }
  return mount_source(copy.from, span);
}

// A name is looked up without regard to case; there is no index form here.
StageIndex StageGraph::mount_source(const std::string& from,
                                    parser::Span span) {
  const auto found = by_name_.find(to_lower(from));
  return found != by_name_.end() ? found->second : add_image(from, span);
}

StageIndex StageGraph::add_image(const std::string& base, parser::Span span) {
  StageNode node;
  node.base = base;
  node.display = base;
  node.span = node.base_span = span;
  node.image_only = true;
  nodes_.push_back(std::move(node));
  return nodes_.size() - 1;
}

void StageGraph::add_dependencies(StageNode& node,
                                  const StageCommand& command) {
  for (const auto& source : command.sources)
    if (source) node.dependencies.insert(*source);
}

bool StageGraph::add_triggers(StageIndex stage,
                              const std::vector<std::string>& triggers) {
  bool added = false;
  std::vector<StageCommand> commands;
  for (const std::string& trigger : triggers) {
    parser::Instruction instruction;
    try {
      instruction = parser::parse_onbuild(trigger);
    } catch (const parser::SyntaxError& e) {
      throw mistake(nodes_[stage].span, e.diagnostics().front().message);
    }
    // The trigger's text is in another image: its place is the FROM line.
    instruction.span = nodes_[stage].span;
    StageCommand command = resolve(std::move(instruction));
    command.onbuild = true;
    for (const auto& source : command.sources) added |= source.has_value();
    add_dependencies(nodes_[stage], command);
    commands.push_back(std::move(command));
  }
  auto& list = nodes_[stage].commands;
  list.insert(list.begin(), std::make_move_iterator(commands.begin()),
              std::make_move_iterator(commands.end()));
  return added;
}

std::optional<StageIndex> StageGraph::find(const std::string& name) const {
  const auto found = by_name_.find(to_lower(name));
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

StageIndex StageGraph::target(const std::string& name) const {
  std::vector<std::string> names;
  for (StageIndex i = 0; i < nodes_.size(); ++i)
    if (!nodes_[i].image_only)
      names.push_back(nodes_[i].name.empty() ? nodes_[i].display
                                             : nodes_[i].name);
  if (name.empty()) return names.size() - 1;
  if (const auto found = find(name)) return *found;
  throw UsageError("target stage " + go_quote(name) + " could not be found" +
                   did_you_mean(name, names));
}

std::set<StageIndex> StageGraph::reachable_from(StageIndex target) const {
  std::set<StageIndex> reached;
  std::vector<StageIndex> open = {target};
  while (!open.empty()) {
    const StageIndex index = open.back();
    open.pop_back();
    if (!reached.insert(index).second) continue;
    const StageNode& node = nodes_[index];
    if (node.base_stage) open.push_back(*node.base_stage);
    open.insert(open.end(), node.dependencies.begin(), node.dependencies.end());
  }
  return reached;
}

void StageGraph::check_cycles() const {
  std::vector<char> state(nodes_.size(), 0);  // 1: on the path, 2: done
  std::vector<StageIndex> path;
  // The path from where the search began to the stage that closes a circle.
  const std::function<bool(StageIndex)> cyclic = [&](StageIndex index) {
    if (state[index] == 2) return false;
    path.push_back(index);
    if (state[index] == 1) return true;
    state[index] = 1;
    for (const StageIndex next : nodes_[index].dependencies)
      if (cyclic(next)) return true;
    state[index] = 2;
    path.pop_back();
    return false;
  };
  for (StageIndex i = 0; i < nodes_.size(); ++i)
    if (cyclic(i)) throw circle(path);
}

// Told at each instruction that leads from one stage to the next.
parser::SyntaxError StageGraph::circle(
    const std::vector<StageIndex>& path) const {
  const std::string message =
      "circular dependency detected on stage: " + nodes_[path.front()].display;
  std::vector<parser::Diagnostic> diagnostics;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    const auto& commands = nodes_[path[i]].commands;
    const auto leads = [&](const StageCommand& command) {
      return std::find(command.sources.begin(), command.sources.end(),
                       path[i + 1]) != command.sources.end();
    };
    const auto last = std::find_if(commands.rbegin(), commands.rend(), leads);
    diagnostics.push_back({message, last->instruction.span});
  }
  return parser::SyntaxError(std::move(diagnostics));
}

}  // namespace cbuild::builder
