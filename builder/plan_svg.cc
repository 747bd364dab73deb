#include <fmt/format.h>

#include "builder/plan_graph.h"
#include "builder/plan_layout.h"

namespace cbuild::builder {
namespace {

// All in pixels.
constexpr double kBoxWidth = 270;
constexpr double kBoxHeight = 40;
constexpr double kNameHeight = 14;  // a row that has only names of stages
constexpr double kMargin = 16;      // around the picture
constexpr double kPad = 9;          // between a stage's frame and its boxes
constexpr double kTrack = 7;        // between lines side by side
constexpr double kRadius = 6;
constexpr double kExit = 28;   // where a line leaves a box's side, from its top
constexpr double kEntry = 12;  // where it enters
constexpr std::size_t kTextWidth = 38;  // letters of a box's second line

constexpr const char* kColors[] = {"#0b62a8", "#b3470b", "#23742c", "#8a2a8a",
                                   "#8f6a00", "#0f7b7b", "#a8243c", "#4f4f9e"};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else
      out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return out;
}

// At most so many letters, the last of them "…" if some are missing.
std::string clipped(std::string_view text, std::size_t letters) {
  std::size_t count = 0;
  std::size_t cut = text.size();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) continue;
    if (++count == letters) cut = i;
    if (count > letters) return std::string(text.substr(0, cut)) + "…";
  }
  return std::string(text);
}

// A line of horizontal and vertical pieces with round corners.
class Path {
 public:
  Path(double x, double y) : x_(x), y_(y) {
    text_ = fmt::format("M{:.1f} {:.1f}", x, y);
  }
  void to(double x, double y) { points_.push_back({x, y}); }
  std::string text() {
    for (std::size_t i = 0; i < points_.size(); ++i) {
      const auto [x, y] = points_[i];
      if (i + 1 == points_.size()) {
        text_ += fmt::format(" L{:.1f} {:.1f}", x, y);
      } else {
        corner(x, y, points_[i + 1].first, points_[i + 1].second);
      }
      x_ = x;
      y_ = y;
    }
    return text_;
  }

 private:
  // The point at most kRadius away from (x, y) towards (tx, ty).
  static std::pair<double, double> near(double x, double y, double tx,
                                        double ty) {
    const double length = std::max(std::abs(tx - x), std::abs(ty - y));
    const double part = length == 0 ? 0 : std::min(kRadius / length, 0.5);
    return {x + (tx - x) * part, y + (ty - y) * part};
  }
  void corner(double x, double y, double next_x, double next_y) {
    const auto [ax, ay] = near(x, y, x_, y_);
    const auto [bx, by] = near(x, y, next_x, next_y);
    text_ += fmt::format(" L{:.1f} {:.1f} Q{:.1f} {:.1f} {:.1f} {:.1f}", ax, ay,
                         x, y, bx, by);
  }

  std::string text_;
  double x_;
  double y_;
  std::vector<std::pair<double, double>> points_;
};

class Drawing {
 public:
  explicit Drawing(const PlanGraph& graph)
      : graph_(graph), layout_(lay_out(graph)) {
    measure();
  }

  std::string draw() {
    begin();
    for (std::size_t i = 0; i < graph_.stages.size(); ++i) frame(i);
    for (const EdgeRoute& route : layout_.routes) arrow(route);
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) box(i);
    for (std::size_t i = 0; i < graph_.stages.size(); ++i) name(i);
    legend();
    return out_ + "</svg>\n";
  }

 private:
  // Left edges of columns and top edges of rows, from the tracks between them.
  void measure() {
    double x = kMargin;
    for (std::size_t c = 0; c <= layout_.column_count; ++c) {
      gutters_.push_back(x + kPad + kTrack);
      x += tracks(layout_.gutter_tracks[c]) + 2 * kPad + kTrack;
      columns_.push_back(x);
      if (c < layout_.column_count) x += kBoxWidth;
    }
    width_ = std::max(x + kMargin, 470.0);
    std::vector<double> heights(layout_.row_count, kNameHeight);
    for (const std::size_t row : layout_.rows) heights[row] = kBoxHeight;
    double y = kMargin;
    for (std::size_t r = 0; r < layout_.row_count; ++r) {
      gaps_.push_back(y + kPad);
      y += std::max(tracks(layout_.gap_tracks[r]), 2.0) + 2 * kPad;
      rows_.push_back(y);
      heights_.push_back(heights[r]);
      y += heights[r];
    }
    height_ = y + kPad + kMargin + 24;
  }
  static double tracks(std::size_t count) {
    return kTrack * static_cast<double>(count);
  }

  void begin() {
    out_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" "
        "height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
        "font-family=\"sans-serif\">\n"
        "<title>build plan</title>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        width_, height_);
  }

  double left(std::size_t stage) const {
    return columns_[layout_.stages[stage].column];
  }
  double top(std::size_t node) const { return rows_[layout_.rows[node]]; }
  // A name stands at the lower end of its row, which may have boxes elsewhere.
  double name_top(std::size_t stage) const {
    const std::size_t row = layout_.stages[stage].first;
    return rows_[row] + heights_[row] - kNameHeight;
  }
  const char* color(std::size_t stage) const {
    return kColors[stage % std::size(kColors)];
  }

  void frame(std::size_t stage) {
    const StagePlace& place = layout_.stages[stage];
    const double y = name_top(stage) - kPad;
    const double bottom = rows_[place.last] + heights_[place.last] + kPad;
    out_ += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
        "rx=\"8\" fill=\"#f4f5f7\" stroke=\"#c9cdd3\"/>\n",
        left(stage) - kPad, y, kBoxWidth + 2 * kPad, bottom - y);
  }

  void name(std::size_t stage) {
    const double y = name_top(stage) + 11;
    const bool image = graph_.top && graph_.nodes[*graph_.top].stage == stage;
    const std::string& text = graph_.stages[stage];
    out_ += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"13\" font-weight=\"bold\" "
        "fill=\"{}\">{}<title>{}</title></text>\n",
        left(stage), y, color(stage),
        escaped(clipped(text.empty() ? "stage" : text, 24)), escaped(text));
    if (!image) return;
    out_ += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"11\" "
        "text-anchor=\"end\" fill=\"#444\">the image</text>\n",
        left(stage) + kBoxWidth, y);
  }

  void box(std::size_t i) {
    const GraphNode& node = graph_.nodes[i];
    const double x = left(node.stage);
    const double y = top(i);
    const bool last = graph_.top == i;
    out_ += fmt::format(
        "<g><title>{}</title><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{}\" "
        "height=\"{}\" rx=\"4\" fill=\"#fff\" stroke=\"{}\" "
        "stroke-width=\"{}\"/>\n",
        escaped(node.keyword + " " + node.text), x, y, kBoxWidth, kBoxHeight,
        color(node.stage), last ? 2.5 : 1);
    out_ += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"11\" "
        "font-weight=\"bold\">{}</text>\n",
        x + 8, y + 16, escaped(node.keyword));
    out_ += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"10\" fill=\"#666\" "
        "text-anchor=\"end\">{}line {}</text>\n",
        x + kBoxWidth - 8, y + 16, node.from_context ? "context · " : "",
        node.line);
    out_ += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"11\" "
        "font-family=\"monospace\">{}</text></g>\n",
        x + 8, y + 32, escaped(clipped(node.text, kTextWidth)));
  }

  void arrow(const EdgeRoute& route) {
    const std::size_t stage = graph_.nodes[route.from].stage;
    const bool inside = stage == graph_.nodes[route.to].stage;
    const double x = left(stage) + (inside ? 0.5 : 0.75) * kBoxWidth;
    Path path = route.straight ? Path(x, top(route.from) + kBoxHeight)
                               : Path(side(route.from, route.leaves_right),
                                      top(route.from) + kExit);
    if (route.straight)
      path.to(x, top(route.to) - 5);
    else
      turns(route, path);
    const double tip_x =
        route.straight ? x : side(route.to, route.enters_right);
    const double tip_y = top(route.to) + (route.straight ? 0 : kEntry);
    const char* const stroke = inside ? "#8a9099" : color(stage);
    out_ += fmt::format(
        "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"{}/>\n",
        path.text(), stroke, dashes(route.kind));
    tip(tip_x, tip_y, route, stroke);
  }

  void turns(const EdgeRoute& route, Path& path) const {
    const double out_x = gutters_[route.gutter_out] + tracks(route.track_out);
    const double in_x =
        route.gutter_out == route.gutter_in
            ? out_x
            : gutters_[route.gutter_in] + tracks(route.track_in);
    path.to(out_x, top(route.from) + kExit);
    if (route.gutter_out != route.gutter_in) {
      const double y = gaps_[route.gap] - kPad / 2 + tracks(route.track_gap);
      path.to(out_x, y);
      path.to(in_x, y);
    }
    const double y = top(route.to) + kEntry;
    path.to(in_x, y);
    path.to(side(route.to, route.enters_right) + (route.enters_right ? 5 : -5),
            y);
  }

  double side(std::size_t node, bool right) const {
    return left(graph_.nodes[node].stage) + (right ? kBoxWidth : 0);
  }
  static const char* dashes(GraphEdge::Kind kind) {
    if (kind == GraphEdge::Kind::copy) return " stroke-dasharray=\"6 3\"";
    if (kind == GraphEdge::Kind::mount) return " stroke-dasharray=\"2 3\"";
    return "";
  }

  void tip(double x, double y, const EdgeRoute& route, const char* fill) {
    const int dx = route.straight ? 0 : route.enters_right ? 7 : -7;
    if (route.straight)
      out_ += fmt::format("<path d=\"M{0:.1f} {1:.1f} l-4 -7 h8 z\"", x, y);
    else
      out_ += fmt::format("<path d=\"M{:.1f} {:.1f} l{} -4 v8 z\"", x, y, dx);
    out_ += fmt::format(" fill=\"{}\"/>\n", fill);
  }

  void legend() {
    const double y = height_ - kMargin;
    double x = kMargin;
    const std::pair<GraphEdge::Kind, const char*> lines[] = {
        {GraphEdge::Kind::below, "built on"},
        {GraphEdge::Kind::copy, "files copied from"},
        {GraphEdge::Kind::mount, "files mounted from"}};
    for (const auto& [kind, text] : lines) {
      out_ += fmt::format(
          "<path d=\"M{0:.1f} {1:.1f} h28\" fill=\"none\" stroke=\"#444\" "
          "stroke-width=\"1.5\"{2}/><text x=\"{3:.1f}\" y=\"{4:.1f}\" "
          "font-size=\"11\" fill=\"#444\">{5}</text>\n",
          x, y - 4, dashes(kind), x + 34, y, text);
      x += 150;
    }
  }

  const PlanGraph& graph_;
  PlanLayout layout_;
  std::vector<double> gutters_;  // x of the first track
  std::vector<double> columns_;  // left edges of boxes
  std::vector<double> gaps_;     // y of the first track
  std::vector<double> rows_;     // top edges
  std::vector<double> heights_;
  double width_ = 0;
  double height_ = 0;
  std::string out_;
};

}  // namespace

std::string plan_svg(const PlanGraph& graph) { return Drawing(graph).draw(); }

}  // namespace cbuild::builder
