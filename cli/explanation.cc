#include "cli/explanation.h"

namespace cbuild::cli {
namespace {

const char* word(builder::StepReport::Outcome outcome) {
  using Outcome = builder::StepReport::Outcome;
  switch (outcome) {
    case Outcome::cached:
      return "CACHED   ";
    case Outcome::rebuilt:
      return "REBUILT  ";
    case Outcome::skipped:
      return "SKIPPED  ";
    case Outcome::failed:
      return "FAILED   ";
    case Outcome::not_reached:
      return "NOT RUN  ";
  }
  return "";
}

}  // namespace

std::string explanation(const std::vector<builder::StepReport>& steps,
                        bool all) {
  std::string text;
  for (const builder::StepReport& step : steps) {
    if (!text.empty()) text += '\n';
    text += word(step.outcome) + step.name;
    std::size_t shown = 0;
    for (const std::string& reason : step.reasons) {
      text +=
          (shown++ == 0 ? "\n           because " : "\n           and     ") +
          reason;
      if (!all) break;
    }
    if (!all && step.reasons.size() > 1)
      text += " (and " + std::to_string(step.reasons.size() - 1) + " more)";
  }
  return text;
}

}  // namespace cbuild::cli
