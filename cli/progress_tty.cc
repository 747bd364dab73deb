// Progress on a terminal: what is finished scrolls up, what runs is drawn over.
//
// The block of running steps is the last thing on the screen; the cursor waits
// below it. A frame goes out in one write(2): up to the block's first row, new
// finished lines, new block, and erase what is below. Each line erases its row
// first, because of rows that tmux wrapped in a narrower window it remembers
// that they go on, and would join them in a wider one; and then what is behind
// it, which may be on another row. Not all at first: tmux takes a screen that
// is erased from its top for one to be kept, and would fill its history.
// Nothing is left to restore: the cursor is never hidden and every line ends in
// plain colours, so that even a kill leaves a usable terminal. Where the window
// was made narrower since, the terminal has wrapped the old lines, which the
// way up takes into account.
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "base/fd.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/step_times.h"
#include "cli/terminal.h"

namespace cbuild::cli {
namespace {

using Clock = std::chrono::steady_clock;
using builder::FinishedEvent;
using builder::StepNumber;

constexpr auto kTick = std::chrono::milliseconds(100);
constexpr std::size_t kShownLines = 4;   // of output, below a running step
constexpr std::size_t kKeptLines = 200;  // of output, for a step that fails

constexpr const char* kEraseRow = "\x1b[K";  // from the cursor to its end

enum class Colour { plain, dim, green, red, yellow, bold };

const char* code_of(Colour colour) {
  switch (colour) {
    case Colour::plain:
      return "";
    case Colour::dim:
      return "\x1b[2m";
    case Colour::green:
      return "\x1b[32m";
    case Colour::red:
      return "\x1b[31m";
    case Colour::yellow:
      return "\x1b[33m";
    case Colour::bold:
      return "\x1b[1m";
  }
  return "";
}

class TtyRenderer final : public Renderer {
 public:
  TtyRenderer() {
    const char* no_colour = std::getenv("NO_COLOR");
    colours_ = no_colour == nullptr || *no_colour == '\0';
  }

  ~TtyRenderer() override { stop_ticking(); }

  void on(const builder::Event& event) override {
    const std::lock_guard lock(mutex_);
    times_.take(event);
    std::visit([this](const auto& e) { handle(e); }, event);
  }

  void transfer(const std::string& subject,
                const registry::TransferProgress& progress) override {
    using State = registry::TransferProgress::State;
    const std::lock_guard lock(mutex_);
    const std::string what = (progress.sent ? "pushing " : "pulling ") +
                             subject + " " + progress.digest.short_text();
    if (progress.state == State::finished || progress.state == State::exists)
      transfers_.erase(what);
    else
      transfers_[what] = {progress.done, progress.total};
  }

  void finish() override {
    stop_ticking();
    const std::lock_guard lock(mutex_);
    running_.clear();
    transfers_.clear();
    for (StepNumber failed : failed_) show_log(steps_[failed]);
    draw();
  }

 private:
  struct Step {
    std::string name;
    Clock::time_point start{};
    std::string partial;
    std::deque<std::string> log;  // the last lines, cleaned
    std::size_t lines = 0;        // all that there were
  };

  struct Amount {
    std::uint64_t done = 0;
    std::uint64_t total = 0;
  };

  // A line of the block, and its width for the way back up.
  struct Line {
    std::string text;
    std::size_t width = 0;
  };

  void handle(const builder::PlanEvent& event) {
    begin_ = Clock::now();
    total_ = event.steps.size();
    for (StepNumber i = 0; i < event.steps.size(); ++i)
      steps_[i].name = clean_line(event.steps[i].name);
  }

  void handle(const builder::StartedEvent& event) {
    steps_[event.step].start = Clock::now();
    running_[event.step] = {};
    if (!ticker_.joinable()) ticker_ = std::thread([this] { tick(); });
  }

  void handle(const builder::OutputEvent& event) {
    Step& step = steps_[event.step];
    std::string_view rest = event.text;
    for (std::size_t end; (end = rest.find('\n')) != rest.npos;
         rest.remove_prefix(end + 1)) {
      add_line(step, step.partial.append(rest.substr(0, end)));
      step.partial.clear();
    }
    step.partial += rest;
  }

  void handle(const builder::TransferEvent& event) {
    running_[event.step][event.what] = {event.done, event.total};
    if (event.done == event.total) running_[event.step].erase(event.what);
  }

  void handle(const FinishedEvent& event) {
    using Outcome = FinishedEvent::Outcome;
    Step& step = steps_[event.step];
    if (!step.partial.empty()) add_line(step, std::exchange(step.partial, {}));
    running_.erase(event.step);
    ++finished_;
    if (event.outcome == Outcome::skipped) return;
    const std::string note =
        event.note.empty() || event.outcome == Outcome::failed
            ? ""
            : " (" + clean_line(event.note) + ")";
    const std::string time = step_seconds(event.wall);
    switch (event.outcome) {
      case Outcome::executed:
        scroll("=> " + step.name + note, time, Colour::green);
        break;
      case Outcome::cached:
        scroll("=> CACHED " + step.name + note, "", Colour::dim);
        break;
      case Outcome::failed:
        failed_.push_back(event.step);
        scroll("=> ERROR " + step.name, time, Colour::red);
        break;
      case Outcome::canceled:
        scroll("=> CANCELED " + step.name + note, time, Colour::yellow);
        break;
      case Outcome::skipped:
        break;
    }
    if (event.outcome != Outcome::failed) step.log.clear();
    draw_if_due();
  }

  void handle(const builder::MessageEvent& event) {
    std::string_view rest = event.text;
    for (;;) {
      const std::size_t end = rest.find('\n');
      const std::string line = clean_line(rest.substr(0, end));
      add_scrolled(event.warning && rest.size() == event.text.size()
                       ? "warning: " + line
                       : line,
                   event.warning ? Colour::yellow : Colour::plain);
      if (end == rest.npos) break;
      rest.remove_prefix(end + 1);
    }
    draw_if_due();
  }

  void handle(const builder::SummaryEvent& event) {
    for (const std::string& line :
         split(times_.table(terminal_size().columns), '\n'))
      if (!line.empty()) add_scrolled(line, Colour::dim);
    add_scrolled(summary_text(event), Colour::bold);
  }

  static void add_line(Step& step, std::string_view line) {
    step.log.push_back(clean_line(line));
    ++step.lines;
    if (step.log.size() > kKeptLines) step.log.pop_front();
  }

  void show_log(const Step& step) {
    if (step.log.empty()) return;
    add_scrolled("------", Colour::plain);
    add_scrolled(" > " + step.name + ":", Colour::bold);
    if (step.lines > step.log.size())
      add_scrolled("   (the last " + std::to_string(step.log.size()) + " of " +
                       std::to_string(step.lines) + " lines)",
                   Colour::dim);
    for (const std::string& line : step.log) add_scrolled(line, Colour::plain);
    add_scrolled("------", Colour::plain);
  }

  std::string paint(const std::string& text, Colour colour) const {
    if (!colours_ || colour == Colour::plain) return text;
    return code_of(colour) + text + "\x1b[0m";
  }

  void add_scrolled(const std::string& text, Colour colour) {
    scrolled_ +=
        kEraseRow + paint(text, colour) + line_end(display_width(text));
  }

  // A text that fills its last row leaves nothing to erase behind it, and would
  // lose its last letter: the cursor still stands on that.
  static std::string line_end(std::size_t width) {
    const bool full = width != 0 && width % terminal_size().columns == 0;
    return full ? "\n" : std::string(kEraseRow) + "\n";
  }

  // A finished step: the time at the right edge, the name as far as it fits.
  void scroll(const std::string& text, const std::string& time, Colour colour) {
    const Line line = block_line(text, time, colour, terminal_size().columns);
    scrolled_ += kEraseRow + line.text + line_end(line.width);
  }

  Line block_line(const std::string& text, const std::string& time,
                  Colour colour, std::size_t columns) const {
    const std::size_t room =
        columns > time.size() + 3 ? columns - time.size() - 3 : 1;
    const std::string shown =
        display_width(text) <= room ? text : clip(text, room - 1) + "…";
    const std::size_t width = display_width(shown);
    std::string line = paint(shown, colour);
    if (!time.empty()) line += std::string(room - width + 1, ' ') + time;
    return {line, time.empty() ? width : room + 1 + time.size()};
  }

  static std::string amount_text(const Amount& amount) {
    std::string text = short_size(amount.done);
    if (amount.total != 0) text += " / " + short_size(amount.total);
    return text;
  }

  std::vector<Line> block() const {
    const TerminalSize size = terminal_size();
    const Clock::time_point now = Clock::now();
    std::vector<Line> lines;
    if (running_.empty() && transfers_.empty()) return lines;
    lines.push_back(block_line("[+] " + std::to_string(finished_) + "/" +
                                   std::to_string(total_) + " steps",
                               step_seconds(now - begin_), Colour::bold,
                               size.columns));
    const std::size_t each = lines_for_each(size.rows);
    for (const auto& [number, amounts] : running_) {
      const Step& step = steps_.at(number);
      lines.push_back(block_line("=> " + step.name,
                                 step_seconds(now - step.start), Colour::plain,
                                 size.columns));
      for (const auto& [what, amount] : amounts)
        lines.push_back(block_line("   " + what, amount_text(amount),
                                   Colour::dim, size.columns));
      const std::size_t shown = std::min(step.log.size(), each);
      for (std::size_t i = step.log.size() - shown; i < step.log.size(); ++i)
        lines.push_back(
            block_line("   " + step.log[i], "", Colour::dim, size.columns));
    }
    for (const auto& [what, amount] : transfers_)
      lines.push_back(block_line("   " + what, amount_text(amount), Colour::dim,
                                 size.columns));
    // One row is the cursor's.
    const std::size_t most = std::max<std::size_t>(size.rows, 3) - 1;
    if (lines.size() <= most) return lines;
    const std::size_t left_out = lines.size() - most + 1;
    lines.resize(most - 1);
    lines.push_back(block_line("   and " + std::to_string(left_out) + " more",
                               "", Colour::dim, size.columns));
    return lines;
  }

  // Output shown of each running step: every step has its line before any has
  // output.
  std::size_t lines_for_each(std::size_t rows) const {
    std::size_t heads = 2 + running_.size() + transfers_.size();
    for (const auto& [number, amounts] : running_) heads += amounts.size();
    if (heads >= rows || running_.empty()) return 0;
    return std::min(kShownLines, (rows - heads) / running_.size());
  }

  // Rows that the block takes now, after the terminal wrapped it anew.
  std::size_t rows_drawn() const {
    const std::size_t columns = terminal_size().columns;
    std::size_t rows = 0;
    for (std::size_t width : drawn_)
      rows += width == 0 ? 1 : (width + columns - 1) / columns;
    return rows;
  }

  void draw() {
    std::string frame;
    if (const std::size_t rows = rows_drawn(); rows != 0)
      frame = "\r\x1b[" + std::to_string(rows) + "A";
    const bool over = !frame.empty();
    frame += scrolled_;
    scrolled_.clear();
    drawn_.clear();
    for (const Line& line : block()) {
      frame += kEraseRow + line.text + line_end(line.width);
      drawn_.push_back(line.width);
    }
    last_draw_ = Clock::now();
    if (frame.empty()) return;
    if (over) frame += "\x1b[J";
    write_error(frame);
  }

  // Steps that end in quick succession are drawn together.
  void draw_if_due() {
    if (!ticker_.joinable() || Clock::now() - last_draw_ > kTick / 2) draw();
  }

  void tick() {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, kTick, [this] { return over_; })) draw();
  }

  void stop_ticking() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    wake_.notify_all();
    if (ticker_.joinable()) ticker_.join();
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::thread ticker_;
  bool over_ = false;
  bool colours_ = true;
  Clock::time_point begin_ = Clock::now();
  Clock::time_point last_draw_{};
  std::size_t total_ = 0;
  std::size_t finished_ = 0;
  std::map<StepNumber, Step> steps_;
  std::map<StepNumber, std::map<std::string, Amount>> running_;
  std::map<std::string, Amount> transfers_;
  std::vector<StepNumber> failed_;
  StepTimes times_;
  std::string scrolled_;            // lines that are final, not yet written
  std::vector<std::size_t> drawn_;  // widths of the block's lines on screen
};

}  // namespace

std::unique_ptr<Renderer> make_tty_renderer() {
  return std::make_unique<TtyRenderer>();
}

}  // namespace cbuild::cli
