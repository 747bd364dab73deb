// Progress for the logs of GitHub Actions and GitLab CI, which fold groups of
// lines. Groups do not nest or interleave, so one running step at a time speaks
// as it goes; what others print waits until their turn.
//
//   github  ::group:: and ::endgroup::, ::error:: with the place; what steps
//           print cannot give commands to the runner (::stop-commands::)
//   gitlab  section_start: and section_end:, collapsed
#include <chrono>
#include <ctime>
#include <map>
#include <mutex>
#include <optional>

#include "base/dir.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/step_times.h"

namespace cbuild::cli {
namespace {

using builder::FinishedEvent;
using builder::StepNumber;

// How a service wants its groups.
class Marks {
 public:
  virtual ~Marks() = default;
  // Lines, each with its end.
  virtual std::string open(StepNumber number, const std::string& name) = 0;
  virtual std::string close(StepNumber number) = 0;
  virtual std::string error(std::size_t line, const std::string& text) = 0;
  virtual std::string warning(const std::string& text) = 0;
};

class GithubMarks final : public Marks {
 public:
  explicit GithubMarks(std::string dockerfile)
      : dockerfile_(std::move(dockerfile)), token_(random_hex(16)) {}

  std::string open(StepNumber, const std::string& name) override {
    return "::group::" + escape(name) + "\n::stop-commands::" + token_ + "\n";
  }
  std::string close(StepNumber) override {
    return "::" + token_ + "::\n::endgroup::\n";
  }
  std::string error(std::size_t line, const std::string& text) override {
    std::string place;
    if (line != 0)
      place = " file=" + escape_property(dockerfile_) +
              ",line=" + std::to_string(line);
    return "::error" + place + "::" + escape(text) + "\n";
  }
  std::string warning(const std::string& text) override {
    return "::warning::" + escape(text) + "\n";
  }

 private:
  static std::string escape(const std::string& text, bool property = false) {
    std::string escaped;
    for (const char c : text) {
      if (c == '%')
        escaped += "%25";
      else if (c == '\r')
        escaped += "%0D";
      else if (c == '\n')
        escaped += "%0A";
      else if (property && c == ':')
        escaped += "%3A";
      else if (property && c == ',')
        escaped += "%2C";
      else
        escaped += c;
    }
    return escaped;
  }
  static std::string escape_property(const std::string& text) {
    return escape(text, true);
  }

  std::string dockerfile_;
  std::string token_;
};

class GitlabMarks final : public Marks {
 public:
  std::string open(StepNumber number, const std::string& name) override {
    return "\x1b[0Ksection_start:" + now() + ":" + section(number) +
           "[collapsed=true]\r\x1b[0K" + name + "\n";
  }
  std::string close(StepNumber number) override {
    return "\x1b[0Ksection_end:" + now() + ":" + section(number) +
           "\r\x1b[0K\n";
  }
  std::string error(std::size_t line, const std::string& text) override {
    return "\x1b[31mERROR" +
           (line == 0 ? "" : " (line " + std::to_string(line) + ")") + ": " +
           text + "\x1b[0m\n";
  }
  std::string warning(const std::string& text) override {
    return "\x1b[33mwarning: " + text + "\x1b[0m\n";
  }

 private:
  static std::string now() { return std::to_string(std::time(nullptr)); }
  static std::string section(StepNumber number) {
    return "cbuild_step_" + std::to_string(number + 1);
  }
};

class GroupRenderer final : public Renderer {
 public:
  explicit GroupRenderer(std::unique_ptr<Marks> marks)
      : marks_(std::move(marks)) {}

  void on(const builder::Event& event) override {
    const std::lock_guard lock(mutex_);
    times_.take(event);
    std::visit([this](const auto& e) { handle(e); }, event);
    flush();
  }

  void transfer(const std::string& subject,
                const registry::TransferProgress& progress) override {
    if (progress.state != registry::TransferProgress::State::finished) return;
    const std::lock_guard lock(mutex_);
    between((progress.sent ? "pushed " : "pulled ") + subject + ": " + progress.what + " " +
            progress.digest.short_text() + " " + short_size(progress.total) +
            "\n");
    flush();
  }

  void finish() override {
    const std::lock_guard lock(mutex_);
    if (speaking_) end_group();
    text_ += std::exchange(later_, {});
    flush();
  }

 private:
  struct Step {
    std::string name;
    std::size_t line = 0;
    std::string waiting;  // printed while another step spoke
    std::string partial;  // after the last line end
    std::string error;
    bool running = false;
  };

  void handle(const builder::PlanEvent& event) {
    for (StepNumber i = 0; i < event.steps.size(); ++i) {
      steps_[i].name = event.steps[i].name;
      steps_[i].line = event.steps[i].line;
    }
  }

  void handle(const builder::StartedEvent& event) {
    steps_[event.step].running = true;
    if (!speaking_) begin_group(event.step);
  }

  void handle(const builder::OutputEvent& event) {
    Step& step = steps_[event.step];
    step.partial += event.text;
    const std::size_t end = step.partial.rfind('\n');
    if (end == std::string::npos) return;
    say(event.step, step.partial.substr(0, end + 1));
    step.partial.erase(0, end + 1);
  }

  void handle(const builder::TransferEvent& event) {
    if (event.done == event.total)
      say(event.step, event.what + " " + short_size(event.total) + "\n");
  }

  void handle(const FinishedEvent& event) {
    Step& step = steps_[event.step];
    if (!step.partial.empty())
      say(event.step, std::exchange(step.partial, {}) + "\n");
    switch (event.outcome) {
      case FinishedEvent::Outcome::skipped:
        return;
      case FinishedEvent::Outcome::cached:
        if (!step.running) return between("CACHED " + step.name + "\n");
        say(event.step, "CACHED\n");
        break;
      case FinishedEvent::Outcome::executed:
        say(event.step, "DONE " + step_seconds(event.wall) + "\n");
        break;
      case FinishedEvent::Outcome::failed:
        step.error = marks_->error(step.line, event.note);
        break;
      case FinishedEvent::Outcome::canceled:
        say(event.step, "CANCELED\n");
        break;
    }
    step.running = false;
    if (speaking_ == event.step) return end_group();
    if (!step.error.empty() || !step.waiting.empty())
      later_ += marks_->open(event.step, step.name) +
                std::exchange(step.waiting, {}) + marks_->close(event.step) +
                step.error;
  }

  void handle(const builder::MessageEvent& event) {
    between(event.warning ? marks_->warning(event.text) : event.text + "\n");
  }

  void handle(const builder::SummaryEvent& event) {
    between(times_.table() + summary_text(event) + "\n");
  }

  void say(StepNumber number, const std::string& lines) {
    (speaking_ == number ? text_ : steps_[number].waiting) += lines;
  }

  // A line that belongs to no step.
  void between(const std::string& lines) {
    (speaking_ ? later_ : text_) += lines;
  }

  void begin_group(StepNumber number) {
    speaking_ = number;
    Step& step = steps_[number];
    text_ += marks_->open(number, step.name) + std::exchange(step.waiting, {});
  }

  void end_group() {
    text_ += marks_->close(*speaking_) + steps_[*speaking_].error;
    speaking_.reset();
    text_ += std::exchange(later_, {});
    for (const auto& [number, step] : steps_)
      if (step.running) return begin_group(number);
  }

  void flush() {
    if (text_.empty()) return;
    text_.pop_back();  // print_error ends the line
    print_error(std::exchange(text_, {}));
  }

  std::unique_ptr<Marks> marks_;
  std::mutex mutex_;
  std::map<StepNumber, Step> steps_;
  std::optional<StepNumber> speaking_;
  std::string later_;  // whole groups and lines that wait for its end
  std::string text_;   // lines, written with one write(2) an event
  StepTimes times_;
};

}  // namespace

std::unique_ptr<Renderer> make_github_renderer(std::string dockerfile) {
  return std::make_unique<GroupRenderer>(
      std::make_unique<GithubMarks>(std::move(dockerfile)));
}

std::unique_ptr<Renderer> make_gitlab_renderer() {
  return std::make_unique<GroupRenderer>(std::make_unique<GitlabMarks>());
}

}  // namespace cbuild::cli
