#include "builder/plan_layout.h"

#include <algorithm>
#include <optional>

namespace cbuild::builder {
namespace {

// Gives intervals that overlap different tracks.
class Tracks {
 public:
  std::size_t take(std::size_t a, std::size_t b) {
    const std::size_t low = std::min(a, b);
    const std::size_t high = std::max(a, b);
    for (std::size_t track = 0;; ++track) {
      if (track == taken_.size()) taken_.emplace_back();
      const bool busy = std::any_of(
          taken_[track].begin(), taken_[track].end(), [&](const auto& other) {
            return low <= other.second && other.first <= high;
          });
      if (busy) continue;
      taken_[track].push_back({low, high});
      return track;
    }
  }
  std::size_t count() const { return taken_.size(); }

 private:
  std::vector<std::vector<std::pair<std::size_t, std::size_t>>> taken_;
};

class LayoutMaker {
 public:
  explicit LayoutMaker(const PlanGraph& graph) : graph_(graph) {}

  PlanLayout make() {
    place_rows();
    place_columns();
    gutters_.resize(layout_.column_count + 1);
    gaps_.resize(layout_.row_count + 1);
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i)
      for (const GraphEdge& edge : graph_.nodes[i].edges) route(i, edge);
    for (const Tracks& tracks : gutters_)
      layout_.gutter_tracks.push_back(tracks.count());
    for (const Tracks& tracks : gaps_)
      layout_.gap_tracks.push_back(tracks.count());
    return std::move(layout_);
  }

 private:
  void place_rows() {
    layout_.stages.resize(graph_.stages.size());
    std::vector<bool> begun(graph_.stages.size());
    for (const GraphNode& node : graph_.nodes) {
      StagePlace& stage = layout_.stages[node.stage];
      const bool first = !begun[node.stage];
      // The name's row is above the first step.
      std::size_t row = first ? 1 : stage.last + 1;
      for (const GraphEdge& edge : node.edges)
        row = std::max(row, layout_.rows[edge.from] + (first ? 2 : 1));
      if (first) stage.first = row - 1;
      begun[node.stage] = true;
      stage.last = row;
      layout_.rows.push_back(row);
      layout_.row_count = std::max(layout_.row_count, row + 1);
    }
  }

  void place_columns() {
    std::vector<bool> placed(graph_.stages.size());
    for (const GraphNode& node : graph_.nodes) {
      if (placed[node.stage]) continue;
      const std::size_t column = free_column(node, placed);
      layout_.stages[node.stage].column = column;
      layout_.column_count = std::max(layout_.column_count, column + 1);
      placed[node.stage] = true;
    }
  }

  // Below the stage it begins from if that is possible.
  std::size_t free_column(const GraphNode& first,
                          const std::vector<bool>& placed) const {
    for (const GraphEdge& edge : first.edges) {
      const std::size_t base = graph_.nodes[edge.from].stage;
      const std::size_t column = layout_.stages[base].column;
      if (edge.kind == GraphEdge::Kind::below && base != first.stage &&
          is_free(column, first.stage, placed))
        return column;
    }
    std::size_t column = 0;
    while (!is_free(column, first.stage, placed)) ++column;
    return column;
  }

  bool is_free(std::size_t column, std::size_t stage,
               const std::vector<bool>& placed) const {
    const StagePlace& place = layout_.stages[stage];
    for (std::size_t i = 0; i < placed.size(); ++i) {
      const StagePlace& other = layout_.stages[i];
      if (placed[i] && other.column == column && other.first <= place.last &&
          place.first <= other.last)
        return false;
    }
    return true;
  }

  std::size_t column_of(std::size_t node) const {
    return layout_.stages[graph_.nodes[node].stage].column;
  }

  // No other box, and no other stage's name, between two nodes of a column.
  bool clear_between(std::size_t from, std::size_t to) const {
    const std::size_t column = column_of(to);
    const auto between = [&](std::size_t row) {
      return row > layout_.rows[from] && row < layout_.rows[to];
    };
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i)
      if (column_of(i) == column && between(layout_.rows[i])) return false;
    for (std::size_t i = 0; i < layout_.stages.size(); ++i)
      if (i != graph_.nodes[to].stage && layout_.stages[i].column == column &&
          between(layout_.stages[i].first))
        return false;
    return true;
  }

  // Vertical places in half rows: a box's middle is odd, the gap above even.
  void route(std::size_t to, const GraphEdge& edge) {
    EdgeRoute route{.from = edge.from, .to = to, .kind = edge.kind};
    const std::size_t source = column_of(edge.from);
    const std::size_t target = column_of(to);
    const std::size_t begin = 2 * layout_.rows[edge.from] + 1;
    const std::size_t end = 2 * layout_.rows[to] + 1;
    route.straight = source == target && clear_between(edge.from, to) &&
                     edge.kind == GraphEdge::Kind::below;
    if (!route.straight) {
      route.leaves_right = target >= source;
      route.enters_right = target <= source;
      route.gutter_out = source + (route.leaves_right ? 1 : 0);
      route.gutter_in = target + (route.enters_right ? 1 : 0);
      if (route.gutter_out == route.gutter_in) {
        route.track_out = gutters_[route.gutter_out].take(begin, end);
      } else {
        route.gap = layout_.rows[to];
        route.track_out = gutters_[route.gutter_out].take(begin, end - 1);
        route.track_in = gutters_[route.gutter_in].take(end - 1, end);
        route.track_gap =
            gaps_[route.gap].take(2 * route.gutter_out, 2 * route.gutter_in);
      }
    }
    layout_.routes.push_back(route);
  }

  const PlanGraph& graph_;
  PlanLayout layout_;
  std::vector<Tracks> gutters_;
  std::vector<Tracks> gaps_;
};

}  // namespace

PlanLayout lay_out(const PlanGraph& graph) { return LayoutMaker(graph).make(); }

}  // namespace cbuild::builder
