// Hands events to the ProgressSink, one at a time, and keeps count.
//
// Steps that are found before anything runs are told of together, in the order
// of the Dockerfile: which record answers first is chance, and that a base is not
// needed shows last.
#pragma once

#include <chrono>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "builder/plan.h"
#include "builder/progress.h"

namespace cbuild::builder {

class Reporter {
 public:
  explicit Reporter(ProgressSink& sink);
  ~Reporter();
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;

  void plan(const Plan& plan, std::string_view dockerfile);
  void started(StepId id);
  void output(StepId id, bool standard_error, std::string_view text);
  // Of what a step that started fetches.
  void transfer(StepId id, std::string what, std::uint64_t done,
                std::uint64_t total);
  void cached(StepId id);
  void executed(StepId id, std::chrono::nanoseconds wall);
  void failed(StepId id, const std::string& error);
  void message(std::string text);
  void warning(std::string text);
  void summary(std::size_t executed, std::size_t cached,
               std::uint64_t bytes_written);
  // Steps that were neither run nor found: nothing needed them.
  void skip_rest();

 private:
  enum class State { waiting, started, finished };
  void finish(StepId id, FinishedEvent::Outcome outcome,
              std::chrono::nanoseconds wall, std::string note);
  void tell_cached();
  void send(const Event& event);

  ProgressSink& sink_;
  std::mutex mutex_;
  std::vector<State> states_;
  std::set<StepId> cached_;  // not told yet
  bool running_ = false;     // something was started
  std::chrono::steady_clock::time_point start_;
};

}  // namespace cbuild::builder
