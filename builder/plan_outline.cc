// The outline of the target, collected from what each stage it needs says.
#include <algorithm>

#include "builder/outline.h"
#include "builder/planner.h"

namespace cbuild::builder {
namespace {

// Keeps the first of each name: a stage hides what its bases say.
class Collector {
 public:
  Collector(const StageGraph& graph, std::vector<StageState>& states)
      : graph_(graph), states_(states) {}

  // The stage, its base, then what it takes files from.
  void visit(StageIndex index) {
    if (!visited_.insert(index).second) return;
    StageOutline& stage = states_[index].outline;
    stage.close();
    for (const std::string& name : stage.used) {
      const auto arg = stage.args.find(name);
      if (arg != stage.args.end() && args_.insert(name).second)
        outline.args.push_back(arg->second);
    }
    add(stage.secrets, secrets_, outline.secrets);
    add(stage.ssh, ssh_, outline.ssh);
    const StageNode& node = graph_.nodes()[index];
    if (node.base_stage) visit(*node.base_stage);
    for (const StageIndex source : node.dependencies) visit(source);
  }

  Outline outline;

 private:
  static void add(const std::map<std::string, OutlineMount>& from,
                  std::set<std::string>& seen, std::vector<OutlineMount>& to) {
    for (const auto& [name, mount] : from)
      if (seen.insert(name).second) to.push_back(mount);
  }

  const StageGraph& graph_;
  std::vector<StageState>& states_;
  std::set<StageIndex> visited_;
  std::set<std::string> args_;
  std::set<std::string> secrets_;
  std::set<std::string> ssh_;
};

template <typename Entry>
void sort_by_place(std::vector<Entry>& entries) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) {
                     return a.span.begin < b.span.begin;
                   });
}

}  // namespace

void StageOutline::close() {
  std::vector<std::string> open(used.begin(), used.end());
  while (!open.empty()) {
    const auto arg = args.find(open.back());
    open.pop_back();
    if (arg == args.end()) continue;
    for (const std::string& name : arg->second.uses)
      if (used.insert(name).second) open.push_back(name);
  }
}

Outline Planner::outline() {
  Collector collector(graph_, states_);
  collector.visit(target_);
  Outline outline = std::move(collector.outline);
  outline.name = graph_.nodes()[target_].name;
  outline.description = graph_.nodes()[target_].description;
  sort_by_place(outline.args);
  sort_by_place(outline.secrets);
  sort_by_place(outline.ssh);
  return outline;
}

}  // namespace cbuild::builder
