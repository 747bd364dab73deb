// Progress as lines, in BuildKit's form, so that tools which read its logs can
// read these: a step's lines begin with its number, and where another step
// speaks in between, its heading is printed again.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>

#include "base/text.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/step_times.h"

namespace cbuild::cli {
namespace {

using Clock = std::chrono::steady_clock;
using builder::FinishedEvent;
using builder::StepNumber;

class PlainRenderer final : public Renderer {
 public:
  void on(const builder::Event& event) override {
    const std::lock_guard lock(mutex_);
    times_.take(event);
    std::visit([this](const auto& e) { handle(e); }, event);
    flush();
  }

  void transfer(const std::string& subject,
                const registry::TransferProgress& progress) override {
    using State = registry::TransferProgress::State;
    if (progress.state != State::finished) return;
    const std::lock_guard lock(mutex_);
    leave();
    text_ += (progress.sent ? "pushing " : "pulling ") + subject + ": " + progress.what + " " +
             progress.digest.short_text() + " " + short_size(progress.total) +
             " done\n\n";
    flush();
  }

  void finish() override {
    const std::lock_guard lock(mutex_);
    for (auto& [number, step] : steps_) end_line(number, step);
    flush();
  }

 private:
  struct Step {
    std::string name;
    std::size_t line = 0;
    Clock::time_point start{};
    std::string partial;  // output after the last line end
    bool started = false;
    bool finished = false;
  };

  std::string prefix(StepNumber number) const {
    return "#" + std::to_string(number + 1) + " ";
  }

  // Makes `number` the step whose lines come next.
  Step& enter(StepNumber number) {
    Step& step = steps_[number];
    if (current_ == number) return step;
    leave();
    current_ = number;
    text_ += prefix(number) + step.name + "\n";
    return step;
  }

  void leave() {
    if (!current_) return;
    const Step& step = steps_[*current_];
    text_ += step.finished ? "\n" : prefix(*current_) + "...\n\n";
    current_.reset();
  }

  void output_line(StepNumber number, const Step& step, std::string_view line) {
    char seconds[32];
    std::snprintf(
        seconds, sizeof seconds, "%.3f ",
        std::chrono::duration<double>(Clock::now() - step.start).count());
    if (line.ends_with('\r')) line.remove_suffix(1);
    text_ += prefix(number) + seconds;
    text_ += line;
    text_ += '\n';
  }

  void end_line(StepNumber number, Step& step) {
    if (step.partial.empty()) return;
    enter(number);
    output_line(number, step, step.partial);
    step.partial.clear();
  }

  void handle(const builder::PlanEvent& event) {
    for (StepNumber i = 0; i < event.steps.size(); ++i) {
      steps_[i].name = event.steps[i].name;
      steps_[i].line = event.steps[i].line;
    }
  }

  void handle(const builder::StartedEvent& event) {
    Step& step = steps_[event.step];
    step.start = Clock::now();
    step.started = true;
    enter(event.step);
  }

  void handle(const builder::OutputEvent& event) {
    Step& step = enter(event.step);
    std::string_view rest = event.text;
    for (std::size_t end; (end = rest.find('\n')) != rest.npos;
         rest.remove_prefix(end + 1)) {
      output_line(event.step, step, step.partial.append(rest.substr(0, end)));
      step.partial.clear();
    }
    step.partial += rest;
  }

  void handle(const builder::TransferEvent& event) {
    if (event.done != event.total) return;
    enter(event.step);
    text_ += prefix(event.step) + event.what + " " + short_size(event.total) +
             " done\n";
  }

  void handle(const FinishedEvent& event) {
    using Outcome = FinishedEvent::Outcome;
    if (event.outcome == Outcome::skipped) return;
    Step& step = steps_[event.step];
    end_line(event.step, step);
    enter(event.step);
    text_ += prefix(event.step);
    switch (event.outcome) {
      case Outcome::executed:
        text_ += "DONE " + step_seconds(event.wall);
        break;
      case Outcome::cached:
        text_ += "CACHED";
        break;
      case Outcome::failed:
        text_ += "ERROR: " + event.note;
        break;
      case Outcome::canceled:
        text_ += "CANCELED";
        break;
      case Outcome::skipped:
        break;
    }
    if (event.outcome != Outcome::failed && !event.note.empty())
      text_ += " (" + event.note + ")";
    text_ += '\n';
    step.finished = true;
    leave();
  }

  void handle(const builder::MessageEvent& event) {
    leave();
    text_ += (event.warning ? "warning: " : "") + event.text + "\n";
  }

  void handle(const builder::SummaryEvent& event) {
    leave();
    text_ += times_.table() + summary_text(event) + "\n";
  }

  void flush() {
    if (text_.empty()) return;
    // The trailing line end is put back by print_error.
    if (text_.ends_with('\n')) text_.pop_back();
    print_error(text_);
    text_.clear();
  }

  std::mutex mutex_;
  std::map<StepNumber, Step> steps_;
  std::optional<StepNumber> current_;
  StepTimes times_;
  std::string text_;  // written with one write(2) an event
};

}  // namespace

std::unique_ptr<Renderer> make_plain_renderer() {
  return std::make_unique<PlainRenderer>();
}

}  // namespace cbuild::cli
