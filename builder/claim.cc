#include "builder/claim.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/error.h"

namespace cbuild::builder {
namespace {

constexpr std::chrono::milliseconds kFirstPause{1};
constexpr std::chrono::milliseconds kLongestPause{50};

}  // namespace

// Asked again and again, not waited for in the kernel: a wait there cannot be
// ended by another thread, which Ctrl-C must do.
store::Claim wait_for_claim(store::Store& store, const std::string& work,
                            const std::atomic<bool>& stop,
                            const std::function<void()>& waiting) {
  for (auto pause = kFirstPause;;) {
    if (auto claim = store.try_claim(work)) return std::move(*claim);
    if (stop) throw Interrupted();
    if (pause == kFirstPause) waiting();
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, kLongestPause);
  }
}

}  // namespace cbuild::builder
