#include <fmt/format.h>

#include "base/text.h"
#include "builder/plan_graph.h"

namespace cbuild::builder {
namespace {

// A string of the DOT language: only '"' needs a backslash, but one in front
// of a letter would mean something.
std::string dot_quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

const char* style_of(GraphEdge::Kind kind) {
  switch (kind) {
    case GraphEdge::Kind::below:
      return "";
    case GraphEdge::Kind::copy:
      return " [style=dashed, label=\"copy\"]";
    case GraphEdge::Kind::mount:
      return " [style=dotted, label=\"mount\"]";
  }
  return "";
}

void add_stage(std::string& out, const PlanGraph& graph, std::size_t stage) {
  out += fmt::format("  subgraph cluster_{} {{\n    label={};\n", stage,
                     dot_quote(graph.stages[stage]));
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const GraphNode& node = graph.nodes[i];
    if (node.stage != stage) continue;
    out += fmt::format("    s{} [label={}{}];\n", i,
                       dot_quote(node.keyword + " " + node.text),
                       graph.top == i ? ", penwidth=2" : "");
  }
  out += "  }\n";
}

}  // namespace

std::string plan_dot(const PlanGraph& graph) {
  std::string out =
      "digraph plan {\n"
      "  node [shape=box, fontname=\"monospace\", fontsize=10];\n"
      "  edge [fontsize=9];\n";
  for (std::size_t i = 0; i < graph.stages.size(); ++i)
    add_stage(out, graph, i);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const GraphNode& node = graph.nodes[i];
    for (const GraphEdge& edge : node.edges)
      out +=
          fmt::format("  s{} -> s{}{};\n", edge.from, i, style_of(edge.kind));
    if (node.from_context)
      out += fmt::format("  context -> s{}{};\n", i,
                         style_of(GraphEdge::Kind::copy));
  }
  return out + "}\n";
}

}  // namespace cbuild::builder
