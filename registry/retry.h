// When to try again, and how long to wait before.
//
// Tried again: 408, 429, 5xx but 501 and 505, connections that broke off or
// timed out, DIGEST_INVALID (5 tries), names that were not found (3 tries: the resolver of a
// pod may still be starting). Pauses double from the first one, with up to half
// of it more or less at random so that many clients do not come back together.
// A Retry-After goes before that; one of more than five minutes is not waited
// for. Refused connections, TLS and refused credentials do not get better.
#pragma once

#include <atomic>
#include <chrono>
#include <utility>

#include "base/error.h"
#include "registry/http.h"

namespace cbuild::registry {

struct RetryPolicy {
  std::chrono::milliseconds first_pause{500};
  const std::atomic<bool>* stop = nullptr;  // ends a pause with Interrupted
};

// The tries of one piece of work. One thread.
class Retry {
 public:
  explicit Retry(const RetryPolicy& policy) : policy_(policy) {}

  // Calls `attempt` until it returns; its result.
  template <typename Attempt>
  auto run(Attempt&& attempt) {
    for (;;) {
      try {
        return attempt();
      } catch (HttpFailure& failure) {
        if (!can_try_again(failure)) throw;
      }
      pause();
    }
  }

  // A transfer moved on: its next failure counts as the first.
  void progressed() { failures_ = 0; }

 private:
  bool can_try_again(HttpFailure& failure);
  void pause() const;

  RetryPolicy policy_;
  int failures_ = 0;
  std::chrono::milliseconds next_pause_{0};
};

}  // namespace cbuild::registry
