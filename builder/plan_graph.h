// The plan as a graph of boxes and arrows: what Graphviz text and the SVG
// picture are made from.
//
//   plan_graph.cc   which boxes and arrows there are
//   plan_dot.cc     Graphviz text
//   plan_layout.cc  where each box stands
//   plan_svg.cc     the picture, and how arrows run
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "builder/plan.h"

namespace cbuild::builder {

struct GraphEdge {
  enum class Kind {
    below,  // the step's files lie on those of the other
    copy,   // COPY --from
    mount,  // RUN --mount=from=
  } kind = Kind::below;
  std::size_t from = 0;  // index of a node
};

// A step; its index is the step's id.
struct GraphNode {
  std::string keyword;  // "RUN"
  std::string text;     // what stands behind it, in one line
  std::size_t line = 0;
  std::size_t stage = 0;      // index in PlanGraph::stages
  bool from_context = false;  // takes files of the build context
  std::vector<GraphEdge> edges;
};

struct PlanGraph {
  std::vector<std::string> stages;  // names, in the order of their first steps
  std::vector<GraphNode> nodes;     // sources before their users
  std::optional<std::size_t> top;   // the node that is the image
};

// `text` is the Dockerfile's.
PlanGraph graph_of(const Plan& plan, std::string_view text);

// Graphviz text, a cluster for each stage.
std::string plan_dot(const PlanGraph& graph);
// A picture that needs nothing but a browser; texts that do not fit are whole
// in the boxes' tooltips.
std::string plan_svg(const PlanGraph& graph);

}  // namespace cbuild::builder
