#include "builder/plan_graph.h"

#include <catch2/catch.hpp>
#include <set>

#include "builder/plan_layout.h"
#include "builder/plan_view.h"
#include "tests/builder/fakes.h"

namespace cbuild::builder {
namespace {

// Stages of three steps each, of which each takes from the one before and from
// the one four before; every third begins where the one before ends.
PlanGraph woven(std::size_t stages) {
  PlanGraph graph;
  for (std::size_t s = 0; s < stages; ++s) {
    graph.stages.push_back("s" + std::to_string(s));
    for (std::size_t step = 0; step < 3; ++step) {
      GraphNode node{.keyword = "RUN", .text = "x", .line = 1, .stage = s};
      const std::size_t id = graph.nodes.size();
      if (step > 0 || (s % 3 == 1))
        node.edges.push_back({GraphEdge::Kind::below, id - 1});
      if (step == 2 && s > 0)
        node.edges.push_back({GraphEdge::Kind::copy, id - 3});
      if (step == 1 && s > 3)
        node.edges.push_back({GraphEdge::Kind::mount, id - 12});
      graph.nodes.push_back(node);
    }
  }
  graph.top = graph.nodes.size() - 1;
  return graph;
}

std::size_t count(const std::string& text, const std::string& piece) {
  std::size_t found = 0;
  for (std::size_t at = text.find(piece); at != std::string::npos;
       at = text.find(piece, at + 1))
    ++found;
  return found;
}

std::string printed(const std::string& dockerfile, PlanForm form) {
  testing::World world;
  BuildRequest request = world.request;
  request.context = world.context;
  request.dockerfile_text = dockerfile;
  PlanEnvironment environment{world.store(), world.images, world.web,
                              world.progress};
  const std::string text = print_plan(request, environment, form);
  CHECK(world.runner.commands.empty());
  return text;
}

constexpr const char* kTwoStages =
    "FROM scratch AS a\nRUN echo \"<&>\"\n"
    "FROM scratch\nCOPY --from=a /x /y\nRUN --mount=from=a,target=/m true\n";

}  // namespace

TEST_CASE("boxes and names of a drawn plan do not overlap", "[plan]") {
  const PlanGraph graph = woven(10);
  const PlanLayout layout = lay_out(graph);
  std::set<std::pair<std::size_t, std::size_t>> taken;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    CHECK(taken
              .insert(
                  {layout.stages[graph.nodes[i].stage].column, layout.rows[i]})
              .second);
  for (const StagePlace& place : layout.stages)
    CHECK(taken.insert({place.column, place.first}).second);
}

TEST_CASE("a step is drawn below all that it needs", "[plan]") {
  const PlanGraph graph = woven(10);
  const PlanLayout layout = lay_out(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    for (const GraphEdge& edge : graph.nodes[i].edges)
      CHECK(layout.rows[i] > layout.rows[edge.from]);
}

TEST_CASE("arrows of one gutter that overlap have tracks of their own",
          "[plan]") {
  const PlanGraph graph = woven(10);
  const PlanLayout layout = lay_out(graph);
  std::set<std::pair<std::size_t, std::size_t>> starts;  // gutter, track
  for (const EdgeRoute& a : layout.routes)
    for (const EdgeRoute& b : layout.routes) {
      if (&a == &b || a.straight || b.straight) continue;
      if (a.gutter_out != b.gutter_out || a.track_out != b.track_out) continue;
      INFO(a.from << " to " << a.to << ", " << b.from << " to " << b.to);
      const bool apart = layout.rows[a.to] <= layout.rows[b.from] ||
                         layout.rows[b.to] <= layout.rows[a.from];
      CHECK(apart);
    }
}

TEST_CASE("a picture has every step, arrow and text", "[plan]") {
  const std::string svg = printed(kTwoStages, PlanForm::svg);
  CHECK(svg.rfind("<svg ", 0) == 0);
  CHECK(count(svg, "<g><title>") == 3);
  // Two arrows with dashes, one plain, and the same in the legend.
  CHECK(count(svg, "stroke-dasharray=\"6 3\"") == 2);
  CHECK(count(svg, "stroke-dasharray=\"2 3\"") == 2);
  CHECK(count(svg, "echo &quot;&lt;&amp;>&quot;") == 2);
  CHECK(count(svg, "the image") == 1);
  CHECK(count(svg, "<g>") == count(svg, "</g>"));
}

TEST_CASE("Graphviz text has a cluster for each stage", "[plan]") {
  const std::string dot = printed(kTwoStages, PlanForm::dot);
  CHECK(count(dot, "subgraph cluster_") == 2);
  CHECK(count(dot, "s0 [label=\"RUN echo \\\"<&>\\\"\"") == 1);
  CHECK(count(dot, "s0 -> s1 [style=dashed") == 1);
  CHECK(count(dot, "s1 -> s2;") == 1);
  CHECK(count(dot, "s0 -> s2 [style=dotted") == 1);
}

}  // namespace cbuild::builder
