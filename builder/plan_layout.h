// Where the boxes of a plan stand and how arrows run: private to plan_svg.cc.
//
// A grid: rows by dependency (a step is below all it needs), columns of stages.
// A stage has a row for its name above its first step; stages that do not
// overlap share a column. Between columns and rows there is room for lines:
// gutter c is left of column c, gap r above row r. An arrow that cannot go
// straight down leaves its box sideways, runs along a gutter, through one gap
// and along another gutter; each takes a track of its own there.
#pragma once

#include <cstddef>
#include <vector>

#include "builder/plan_graph.h"

namespace cbuild::builder {

struct StagePlace {
  std::size_t column = 0;
  std::size_t first = 0;  // row of the name
  std::size_t last = 0;   // row of the last step
};

struct EdgeRoute {
  std::size_t from = 0;  // nodes
  std::size_t to = 0;
  GraphEdge::Kind kind = GraphEdge::Kind::below;
  bool straight = false;  // down, in one column
  bool leaves_right = false;
  bool enters_right = false;
  std::size_t gutter_out = 0;  // along the source's column
  std::size_t track_out = 0;
  // Only where the gutters differ:
  std::size_t gutter_in = 0;
  std::size_t track_in = 0;
  std::size_t gap = 0;
  std::size_t track_gap = 0;
};

struct PlanLayout {
  std::vector<StagePlace> stages;
  std::vector<std::size_t> rows;  // of each node
  std::size_t row_count = 0;
  std::size_t column_count = 0;
  std::vector<EdgeRoute> routes;
  std::vector<std::size_t> gutter_tracks;  // column_count + 1
  std::vector<std::size_t> gap_tracks;     // row_count + 1
};

PlanLayout lay_out(const PlanGraph& graph);

}  // namespace cbuild::builder
