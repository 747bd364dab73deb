#include "builder/reporter.h"

#include <utility>

#include "parser/line_table.h"

namespace cbuild::builder {

Reporter::Reporter(ProgressSink& sink)
    : sink_(sink), start_(std::chrono::steady_clock::now()) {}

// A build that --expect-cached ends has told of nothing yet.
Reporter::~Reporter() {
  const std::lock_guard lock(mutex_);
  tell_cached();
}

void Reporter::send(const Event& event) {
  const std::lock_guard lock(mutex_);
  tell_cached();
  sink_.on(event);
}

// Called with the mutex held.
void Reporter::tell_cached() {
  for (const StepId id : std::exchange(cached_, {}))
    sink_.on(FinishedEvent{id, FinishedEvent::Outcome::cached, {}, ""});
}

void Reporter::plan(const Plan& plan, std::string_view dockerfile) {
  const parser::LineTable lines(dockerfile);
  PlanEvent event;
  for (const Step& step : plan.steps)
    event.steps.push_back({step.name, lines.position(step.span.begin).line});
  states_.assign(plan.steps.size(), State::waiting);
  send(event);
}

void Reporter::started(StepId id) {
  {
    const std::lock_guard lock(mutex_);
    if (states_[id] != State::waiting) return;
    states_[id] = State::started;
    running_ = true;
  }
  send(StartedEvent{id});
}

void Reporter::output(StepId id, bool standard_error, std::string_view text) {
  send(OutputEvent{id, standard_error, std::string(text)});
}

void Reporter::transfer(StepId id, std::string what, std::uint64_t done,
                        std::uint64_t total) {
  send(TransferEvent{id, std::move(what), done, total});
}

void Reporter::finish(StepId id, FinishedEvent::Outcome outcome,
                      std::chrono::nanoseconds wall, std::string note) {
  {
    const std::lock_guard lock(mutex_);
    if (states_[id] == State::finished) return;
    states_[id] = State::finished;
    if (outcome == FinishedEvent::Outcome::cached && !running_) {
      cached_.insert(id);
      return;
    }
  }
  send(FinishedEvent{id, outcome, wall, std::move(note)});
}

void Reporter::cached(StepId id) {
  finish(id, FinishedEvent::Outcome::cached, {}, "");
}

void Reporter::executed(StepId id, std::chrono::nanoseconds wall) {
  finish(id, FinishedEvent::Outcome::executed, wall, "");
}

void Reporter::failed(StepId id, const std::string& error) {
  finish(id, FinishedEvent::Outcome::failed, {}, error);
}

void Reporter::message(std::string text) {
  send(MessageEvent{false, std::move(text)});
}

void Reporter::warning(std::string text) {
  send(MessageEvent{true, std::move(text)});
}

void Reporter::summary(std::size_t executed, std::size_t cached,
                       std::uint64_t bytes_written) {
  send(SummaryEvent{executed, cached, std::chrono::steady_clock::now() - start_,
                    bytes_written});
}

void Reporter::skip_rest() {
  for (StepId id = 0; id < states_.size(); ++id)
    finish(id, FinishedEvent::Outcome::skipped, {}, "");
}

}  // namespace cbuild::builder
