#include "registry/retry.h"

#include <algorithm>
#include <random>
#include <string>
#include <thread>

#include "base/log.h"

namespace cbuild::registry {
namespace {

using std::chrono::milliseconds;

constexpr int kTries = 5;
constexpr int kTriesToFindHost = 3;
constexpr milliseconds kLongestWait = std::chrono::minutes(5);
constexpr milliseconds kWorthSaying = std::chrono::seconds(5);
constexpr milliseconds kStopCheck{50};

// 0 where another try is useless.
int tries_for(const HttpFailure& failure) {
  switch (failure.fault()) {
    case Fault::unknown_host:
      return kTriesToFindHost;
    case Fault::timed_out:
    case Fault::broken:
      return kTries;
    case Fault::none:
      break;
    case Fault::refused:
    case Fault::not_tls:
    case Fault::tls:
    case Fault::untrusted:
    case Fault::other:
      return 0;
  }
  // What is sent has its digest, so the registry is mistaken: docker-registry
  // says so while another push rewrites its link to the same blob, which it
  // empties first (2.8.1, storage/driver/filesystem PutContent).
  if (failure.code() == "DIGEST_INVALID") return kTries;
  const int status = failure.status();
  const bool passing = status == 408 || status == 429 ||
                       (status >= 500 && status != 501 && status != 505);
  return passing ? kTries : 0;
}

milliseconds with_jitter(milliseconds pause) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  std::uniform_int_distribution<milliseconds::rep> range(
      pause.count() / 2, pause.count() + pause.count() / 2);
  return milliseconds(range(random));
}

}  // namespace

bool Retry::can_try_again(HttpFailure& failure) {
  const int tries = tries_for(failure);
  if (tries == 0) return false;
  ++failures_;
  if (failures_ >= tries) {
    failure.add_context("tried " + std::to_string(failures_) + " times");
    return false;
  }
  if (failure.retry_after() && *failure.retry_after() > kLongestWait) {
    failure.add_context("asked to wait " +
                        std::to_string(failure.retry_after()->count()) + " s");
    return false;
  }
  next_pause_ = with_jitter(policy_.first_pause * (1 << (failures_ - 1)));
  if (failure.retry_after())
    next_pause_ = std::max<milliseconds>(next_pause_, *failure.retry_after());
  if (next_pause_ >= kWorthSaying)
    warn(std::string(failure.what()) + "; trying again in " +
         std::to_string(next_pause_.count() / 1000) + " s");
  return true;
}

void Retry::pause() const {
  const auto end = std::chrono::steady_clock::now() + next_pause_;
  for (;;) {
    if (policy_.stop != nullptr && policy_.stop->load()) throw Interrupted();
    const auto left = std::chrono::duration_cast<milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left <= milliseconds(0)) return;
    std::this_thread::sleep_for(std::min(left, kStopCheck));
  }
}

}  // namespace cbuild::registry
