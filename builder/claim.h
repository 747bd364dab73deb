// Waiting for another process that does the same work.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "store/store.h"

namespace cbuild::builder {

// Claims the work for this thread; waits while someone else has it. `waiting`
// is called once if it comes to that. Throws Interrupted once `stop` is true.
// Whoever waited looks whether the work is done before doing it again.
store::Claim wait_for_claim(store::Store& store, const std::string& work,
                            const std::atomic<bool>& stop,
                            const std::function<void()>& waiting);

}  // namespace cbuild::builder
