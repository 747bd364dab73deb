// What a build did and printed, kept for `cbuild builds`.
//
//   <root>/logs/<id>/build.json   written at the end (docs/progress-json.md)
//   <root>/logs/<id>/<n>.log      all that step n printed, as it came
//
// An id begins with the time, so that ids sort. The last 100 builds are kept. A
// directory without build.json belongs to a build that runs or was killed.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "cli/progress.h"
#include "store/store.h"

namespace cbuild::cli {

struct LoggedStep {
  std::size_t number = 0;  // from 1, as in "#5"
  std::string name;
  std::size_t line = 0;     // of the Dockerfile; 0: none
  std::string outcome;      // run, cached, failed, canceled, skipped
  double seconds = 0;
  std::uint64_t bytes = 0;  // of its log
};

struct LoggedBuild {
  std::string id;
  std::int64_t started = 0;  // seconds since the epoch
  double seconds = 0;
  std::string outcome;  // built, failed, interrupted; "" while it runs
  std::string error;
  std::string context;
  std::string image;  // digest of the config
  std::vector<std::string> names;
  std::vector<LoggedStep> steps;
};

// Passes everything on to `next` and writes it down. Where the disk is full it
// says so once and keeps nothing more: the image matters more.
class BuildLog final : public Renderer {
 public:
  BuildLog(store::Store& store, Renderer& next, std::string context);

  void built(const std::string& image, std::vector<std::string> names);
  void failed(const std::string& error, bool interrupted);

  void on(const builder::Event& event) override;
  void transfer(const std::string& subject,
                const registry::TransferProgress& progress) override;
  void finish() override;

 private:
  void take(const builder::Event& event);
  void output(const builder::OutputEvent& event);
  template <typename Body>
  void keeping(Body&& body);
  void write();
  void trim();

  store::Store& store_;
  Renderer& next_;
  std::mutex mutex_;  // guards what follows
  std::chrono::steady_clock::time_point start_;
  LoggedBuild build_;
  std::map<std::size_t, Fd> files_;
  bool made_ = false;
  bool broken_ = false;
};

// Newest first.
std::vector<LoggedBuild> logged_builds(const store::Store& store);

// What the step printed; nullopt where it printed nothing.
std::optional<std::string> step_log(const store::Store& store,
                                    const LoggedBuild& build,
                                    std::size_t number);

// build.json and `cbuild builds --format json`, one line.
std::string json_of(const LoggedBuild& build);

}  // namespace cbuild::cli
