#include "cli/build_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "base/dir.h"
#include "base/error.h"
#include "cli/output.h"

namespace cbuild::cli {
namespace {

constexpr std::size_t kKeptBuilds = 100;

// "20260102-030405-123456789-0123": UTC, nanoseconds, so that names sort as the
// builds began, and something to tell apart what began together.
std::string fresh_id(const timespec& now) {
  std::tm parts = {};
  ::gmtime_r(&now.tv_sec, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%d-%H%M%S", &parts);
  return fmt::format("{}-{:09}-{}", text, now.tv_nsec, random_hex(2));
}

std::string directory_of(const store::Store& store, const std::string& id) {
  return store.root() + "/logs/" + id;
}

std::string log_name(std::size_t number) {
  return std::to_string(number) + ".log";
}

}  // namespace

BuildLog::BuildLog(store::Store& store, Renderer& next, std::string context)
    : store_(store), next_(next), start_(std::chrono::steady_clock::now()) {
  timespec now = {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  build_.started = now.tv_sec;
  build_.id = fresh_id(now);
  build_.context = std::move(context);
}

void BuildLog::built(const std::string& image, std::vector<std::string> names) {
  const std::lock_guard lock(mutex_);
  build_.outcome = "built";
  build_.image = image;
  build_.names = std::move(names);
}

void BuildLog::failed(const std::string& error, bool interrupted) {
  const std::lock_guard lock(mutex_);
  build_.outcome = interrupted ? "interrupted" : "failed";
  build_.error = error;
}

// A log that cannot be written is said, and given up.
template <typename Body>
void BuildLog::keeping(Body&& body) {
  if (broken_) return;
  try {
    if (!std::exchange(made_, true)) {
      store_.hold("logs/" + build_.id);
      make_dirs(directory_of(store_, build_.id), 0700);
    }
    body();
  } catch (const Error& e) {
    broken_ = true;
    next_.on(builder::MessageEvent{
        true, std::string("the log of this build is not kept: ") + e.what()});
  }
}

void BuildLog::output(const builder::OutputEvent& event) {
  const std::size_t number = event.step + 1;
  const std::string path =
      directory_of(store_, build_.id) + "/" + log_name(number);
  keeping([&] {
    Fd& file = files_[number];
    if (!file) file = open_path(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    write_all(file.get(), event.text, path);
    build_.steps.at(event.step).bytes += event.text.size();
  });
}

void BuildLog::take(const builder::Event& event) {
  if (const auto* plan = std::get_if<builder::PlanEvent>(&event)) {
    for (const builder::PlanEvent::Step& step : plan->steps)
      build_.steps.push_back({.number = build_.steps.size() + 1,
                              .name = step.name,
                              .line = step.line,
                              .outcome = {}});
  } else if (const auto* text = std::get_if<builder::OutputEvent>(&event)) {
    output(*text);
  } else if (const auto* end = std::get_if<builder::FinishedEvent>(&event)) {
    LoggedStep& step = build_.steps.at(end->step);
    step.outcome = outcome_text(end->outcome);
    step.seconds = std::chrono::duration<double>(end->wall).count();
    files_.erase(step.number);
  }
}

void BuildLog::on(const builder::Event& event) {
  {
    const std::lock_guard lock(mutex_);
    take(event);
  }
  next_.on(event);
}

void BuildLog::transfer(const std::string& subject,
                        const registry::TransferProgress& progress) {
  next_.transfer(subject, progress);
}

void BuildLog::finish() {
  {
    const std::lock_guard lock(mutex_);
    build_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_)
            .count();
    // Of a Dockerfile that could not even be planned there is nothing to keep.
    if (!build_.steps.empty()) keeping([&] { write(); });
  }
  next_.finish();
}

void BuildLog::write() {
  const std::string directory = directory_of(store_, build_.id);
  make_dirs(directory, 0700);  // the lease has ended: prune may have been here
  const Fd dir = open_path(directory, O_RDONLY | O_DIRECTORY);
  replace_file_at(dir.get(), "build.json", json_of(build_), false, 0600);
  trim();
}

void BuildLog::trim() {
  const Fd dir = open_path(store_.root() + "/logs", O_RDONLY | O_DIRECTORY);
  const std::vector<std::string> ids = list_dir(dir.get());
  if (ids.size() <= kKeptBuilds) return;
  // One build at a time; whoever comes next removes what this one left.
  if (const auto claim = store_.try_claim("logs"))
    for (std::size_t i = 0; i + kKeptBuilds < ids.size(); ++i)
      remove_tree_at(dir.get(), ids[i]);
}

std::optional<std::string> step_log(const store::Store& store,
                                    const LoggedBuild& build,
                                    std::size_t number) {
  return read_file(directory_of(store, build.id) + "/" + log_name(number));
}

}  // namespace cbuild::cli
