#include "cli/step_times.h"

#include <algorithm>

#include "cli/output.h"
#include "cli/progress.h"

namespace cbuild::cli {
namespace {

constexpr std::size_t kShown = 10;
constexpr std::size_t kTimeWidth = 11;
constexpr std::size_t kLeastName = 20;

// Right-aligned, with two blanks after it.
std::string time_column(const std::string& time) {
  const std::size_t width = kTimeWidth - 2;
  return std::string(time.size() < width ? width - time.size() : 0, ' ') +
         time + "  ";
}

}  // namespace

void StepTimes::take(const builder::Event& event) {
  if (const auto* plan = std::get_if<builder::PlanEvent>(&event)) {
    for (const builder::PlanEvent::Step& step : plan->steps)
      names_.push_back(step.name);
  } else if (const auto* end = std::get_if<builder::FinishedEvent>(&event)) {
    if (end->outcome == builder::FinishedEvent::Outcome::executed)
      runs_.push_back({end->step, end->wall});
  }
}

std::string StepTimes::table(std::size_t columns) const {
  if (runs_.size() < 2) return "";
  const std::size_t width =
      columns > kTimeWidth + kLeastName ? columns - kTimeWidth - 1 : kLeastName;
  std::vector<Run> slowest = runs_;
  std::stable_sort(slowest.begin(), slowest.end(),
                   [](const Run& a, const Run& b) { return a.wall > b.wall; });
  std::string text;
  for (std::size_t i = 0; i < std::min(slowest.size(), kShown); ++i) {
    const std::string time = step_seconds(slowest[i].wall);
    text += time_column(time) + ellipsis(names_.at(slowest[i].step), width) + "\n";
  }
  if (slowest.size() > kShown) {
    std::chrono::nanoseconds rest{};
    for (std::size_t i = kShown; i < slowest.size(); ++i)
      rest += slowest[i].wall;
    const std::string time = step_seconds(rest);
    text += time_column(time) + std::to_string(slowest.size() - kShown) + " more steps\n";
  }
  return text;
}

}  // namespace cbuild::cli
