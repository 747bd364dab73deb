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
  if (wanted == "plain") return ProgressKind::plain;
  if (wanted == "tty") return ProgressKind::tty;
  if (wanted == "quiet" || wanted == "none") return ProgressKind::quiet;
  if (!wanted.empty() && wanted != "auto")
    throw UsageError(
        "invalid progress mode " + go_quote(wanted) +
        ": want auto, tty, plain, quiet or none" +
        did_you_mean(wanted, {"auto", "tty", "plain", "quiet", "none"}));
  return is_terminal() ? ProgressKind::tty : ProgressKind::plain;
}

std::unique_ptr<Renderer> make_renderer(ProgressKind kind) {
  switch (kind) {
    case ProgressKind::tty:
      return make_tty_renderer();
    case ProgressKind::plain:
      return make_plain_renderer();
    case ProgressKind::quiet:
      break;
  }
  return std::make_unique<QuietRenderer>();
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
