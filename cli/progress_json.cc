// Progress as JSON, one object a line: docs/progress-json.md, which says what may
// change and what may not.
#include <ctime>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/output.h"
#include "cli/progress.h"

namespace cbuild::cli {
namespace {

using Json = nlohmann::ordered_json;
using builder::FinishedEvent;

double seconds(std::chrono::nanoseconds wall) {
  return std::chrono::duration<double>(wall).count();
}

Json fields(const builder::PlanEvent& event) {
  Json steps = Json::array();
  for (const builder::PlanEvent::Step& step : event.steps)
    steps.push_back({{"step", steps.size() + 1},
                     {"name", step.name},
                     {"line", step.line}});
  return {{"event", "plan"}, {"steps", std::move(steps)}};
}

Json fields(const builder::StartedEvent& event) {
  return {{"event", "started"}, {"step", event.step + 1}};
}

Json fields(const builder::OutputEvent& event) {
  return {{"event", "output"},
          {"step", event.step + 1},
          {"stream", event.standard_error ? "stderr" : "stdout"},
          {"text", event.text}};
}

Json fields(const builder::TransferEvent& event) {
  return {{"event", "transfer"},
          {"step", event.step + 1},
          {"what", event.what},
          {"done", event.done},
          {"total", event.total}};
}

Json fields(const FinishedEvent& event) {
  return {{"event", "finished"},
          {"step", event.step + 1},
          {"outcome", outcome_text(event.outcome)},
          {"seconds", seconds(event.wall)},
          {"note", event.note}};
}

Json fields(const builder::MessageEvent& event) {
  return {{"event", "message"},
          {"level", event.warning ? "warning" : "info"},
          {"text", event.text}};
}

Json fields(const builder::SummaryEvent& event) {
  return {{"event", "summary"},
          {"run", event.executed},
          {"cached", event.cached},
          {"seconds", seconds(event.wall)},
          {"layer_bytes", event.bytes_written}};
}

class JsonRenderer final : public Renderer {
 public:
  void on(const builder::Event& event) override {
    write(std::visit([](const auto& e) { return fields(e); }, event));
  }

  void transfer(const std::string& subject,
                const registry::TransferProgress& progress) override {
    write({{"event", "transfer"},
           {"image", subject},
           {"direction", progress.sent ? "push" : "pull"},
           {"what", progress.what},
           {"digest", progress.digest.text()},
           {"done", progress.done},
           {"total", progress.total}});
  }

  void finish() override {}

 private:
  void write(const Json& event) {
    timespec now = {};
    ::clock_gettime(CLOCK_REALTIME, &now);
    Json line = {{"version", 1}, {"time", rfc3339(now.tv_sec, now.tv_nsec)}};
    line.update(event);
    const std::lock_guard lock(mutex_);
    print_error(line.dump(-1, ' ', false, Json::error_handler_t::replace));
  }

  std::mutex mutex_;
};

}  // namespace

std::unique_ptr<Renderer> make_json_renderer() {
  return std::make_unique<JsonRenderer>();
}

}  // namespace cbuild::cli
