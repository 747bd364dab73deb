#include "cli/progress.h"

#include <cstdio>
#include <cstdlib>

#include "base/error.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/terminal.h"

namespace cbuild::cli {
namespace {

class QuietRenderer final : public Renderer {
 public:
  void on(const builder::Event&) override {}
  void transfer(const std::string&,
                const registry::TransferProgress&) override {}
  void finish() override {}
};

constexpr std::pair<const char*, ProgressKind> kKinds[] = {
    {"tty", ProgressKind::tty},       {"plain", ProgressKind::plain},
    {"json", ProgressKind::json},     {"github", ProgressKind::github},
    {"gitlab", ProgressKind::gitlab}, {"quiet", ProgressKind::quiet},
    {"none", ProgressKind::quiet},
};

std::string count_of(std::size_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace

ProgressKind progress_kind(const std::string& word, bool quiet) {
  if (quiet) return ProgressKind::quiet;
  std::string wanted = word;
  for (const char* name : {"CBUILD_PROGRESS", "BUILDKIT_PROGRESS"}) {
    const char* value = std::getenv(name);
    if (wanted.empty() && value != nullptr) wanted = value;
  }
  for (const auto& [name, kind] : kKinds)
    if (wanted == name) return kind;
  if (!wanted.empty() && wanted != "auto") {
    std::vector<std::string> names = {"auto"};
    for (const auto& [name, kind] : kKinds) names.emplace_back(name);
    throw UsageError("invalid progress mode " + go_quote(wanted) + ": want " +
                     join(names, ", ") + did_you_mean(wanted, names));
  }
  return is_terminal() ? ProgressKind::tty : ProgressKind::plain;
}

std::unique_ptr<Renderer> make_renderer(ProgressKind kind,
                                        const std::string& dockerfile) {
  switch (kind) {
    case ProgressKind::tty:
      return make_tty_renderer();
    case ProgressKind::plain:
      return make_plain_renderer();
    case ProgressKind::json:
      return make_json_renderer();
    case ProgressKind::github:
      return make_github_renderer(dockerfile);
    case ProgressKind::gitlab:
      return make_gitlab_renderer();
    case ProgressKind::quiet:
      break;
  }
  return std::make_unique<QuietRenderer>();
}

const char* outcome_text(builder::FinishedEvent::Outcome outcome) {
  using Outcome = builder::FinishedEvent::Outcome;
  switch (outcome) {
    case Outcome::executed:
      return "run";
    case Outcome::cached:
      return "cached";
    case Outcome::failed:
      return "failed";
    case Outcome::canceled:
      return "canceled";
    case Outcome::skipped:
      return "skipped";
  }
  return "";
}

std::string step_seconds(std::chrono::nanoseconds wall) {
  char text[32];
  const double seconds = std::chrono::duration<double>(wall).count();
  const int minutes = static_cast<int>(seconds / 60);
  if (minutes > 0)
    std::snprintf(text, sizeof text, "%dm%04.1fs", minutes,
                  seconds - 60.0 * minutes);
  else
    std::snprintf(text, sizeof text, "%.1fs", seconds);
  return text;
}

std::string summary_text(const builder::SummaryEvent& event) {
  const double seconds = std::chrono::duration<double>(event.wall).count();
  char precise[32];
  std::snprintf(precise, sizeof precise, "%.3fs", seconds);
  std::string text = "built in ";
  text += seconds < 1 ? precise : step_seconds(event.wall).c_str();
  text += ": " + count_of(event.executed, "step") + " run, " +
          std::to_string(event.cached) + " cached";
  if (event.bytes_written != 0)
    text += ", " + short_size(event.bytes_written) + " of layers written";
  return text;
}

}  // namespace cbuild::cli
