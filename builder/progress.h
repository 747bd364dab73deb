// What a build tells while it runs: one stream of events.
//
// Events come from several threads, one at a time (the engine serialises
// them). Renderers live in cli/. Nothing is clipped.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cbuild::builder {

using StepNumber = std::size_t;  // index into PlanEvent::steps

// The steps of the plan, in the order they are numbered; sent once, first.
struct PlanEvent {
  struct Step {
    std::string name;      // "[build 2/5] RUN make", "[internal] load base:1"
    std::size_t line = 0;  // 1-based line of the Dockerfile, 0: none
  };
  std::vector<Step> steps;
};

struct StartedEvent {
  StepNumber step = 0;
};

// What a RUN printed; not cut at line ends.
struct OutputEvent {
  StepNumber step = 0;
  bool standard_error = false;
  std::string text;
};

// A transfer within a step: a layer of a base image.
struct TransferEvent {
  StepNumber step = 0;
  std::string what;  // "layer sha256:0123456789ab"
  std::uint64_t done = 0;
  std::uint64_t total = 0;
};

struct FinishedEvent {
  StepNumber step = 0;
  enum class Outcome { executed, cached, failed, canceled, skipped } outcome{};
  std::chrono::nanoseconds wall{};
  std::string note;  // failed: the error; else empty or a short remark
};

// About the build as a whole ("exporting layers", "tagged app:latest"), or a
// warning with its place.
struct MessageEvent {
  bool warning = false;
  std::string text;
};

// The last event of a build that worked.
struct SummaryEvent {
  std::size_t executed = 0;
  std::size_t cached = 0;
  std::chrono::nanoseconds wall{};
  std::uint64_t bytes_written = 0;  // of new layer tarballs
};

using Event = std::variant<PlanEvent, StartedEvent, OutputEvent, TransferEvent,
                           FinishedEvent, MessageEvent, SummaryEvent>;

class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  virtual void on(const Event& event) = 0;
};

}  // namespace cbuild::builder
