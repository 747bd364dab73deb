// Hands events to the ProgressSink, one at a time, and keeps count.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "builder/plan.h"
#include "builder/progress.h"

namespace cbuild::builder {

class Reporter {
 public:
  explicit Reporter(ProgressSink& sink);

  void plan(const Plan& plan, std::string_view dockerfile);
  void started(StepId id);
  void output(StepId id, bool standard_error, std::string_view text);
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
  void send(const Event& event);

  ProgressSink& sink_;
  std::mutex mutex_;
  std::vector<State> states_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace cbuild::builder
