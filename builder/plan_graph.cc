#include "builder/plan_graph.h"

#include <algorithm>

#include "base/text.h"
#include "parser/line_table.h"

namespace cbuild::builder {
namespace {

// "RUN make" of "[build 2/5] RUN make", blanks and line ends as one blank.
std::string label_of(const Step& step) {
  const std::size_t bracket = step.name.find("] ");
  const std::string_view name = step.name;
  std::string label;
  for (const char c : name.substr(bracket == name.npos ? 0 : bracket + 2)) {
    const bool blank = static_cast<unsigned char>(c) <= ' ';
    if (!blank)
      label += c;
    else if (!label.empty() && label.back() != ' ')
      label += ' ';
  }
  return label;
}

// Adds what a step takes from elsewhere.
struct Origins {
  GraphNode& node;

  void operator()(const ImageStep&) const {}
  void operator()(const WorkdirStep&) const {}
  void operator()(const CopyStep& copy) const {
    add(copy.origin, GraphEdge::Kind::copy);
  }
  void operator()(const RunStep& run) const {
    for (const MountStep& mount : run.mounts)
      if (mount.has_origin) add(mount.origin, GraphEdge::Kind::mount);
  }

 private:
  void add(const FileOrigin& origin, GraphEdge::Kind kind) const {
    node.from_context |= origin.context != nullptr;
    if (origin.step) node.edges.push_back({kind, *origin.step});
  }
};

std::size_t stage_index(PlanGraph& graph, const std::string& name) {
  const auto found = std::find(graph.stages.begin(), graph.stages.end(), name);
  if (found != graph.stages.end())
    return static_cast<std::size_t>(found - graph.stages.begin());
  graph.stages.push_back(name);
  return graph.stages.size() - 1;
}

}  // namespace

PlanGraph graph_of(const Plan& plan, std::string_view text) {
  PlanGraph graph;
  graph.top = plan.top;
  const parser::LineTable lines(text);
  for (const Step& step : plan.steps) {
    GraphNode node;
    const std::string label = label_of(step);
    const std::size_t blank = std::min(label.find(' '), label.size());
    node.keyword = label.substr(0, blank);
    node.text = trim(std::string_view(label).substr(blank));
    node.line = lines.position(step.span.begin).line;
    node.stage = stage_index(graph, step.stage);
    if (step.parent)
      node.edges.push_back({GraphEdge::Kind::below, *step.parent});
    std::visit(Origins{node}, step.node);
    graph.nodes.push_back(std::move(node));
  }
  return graph;
}

}  // namespace cbuild::builder
