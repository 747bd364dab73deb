// Where the store says that it found something damaged and what it did.
//
// A damaged part counts as absent: it is dropped and made again, or the caller
// fetches it again. That must not happen in silence, and it is found by any
// thread below any object, so one handler of the process is told.
#pragma once

#include <functional>
#include <string>

namespace cbuild::store {

// Called by any thread, one call at a time. Empty: nobody is told.
using DamageHandler = std::function<void(const std::string& sentence)>;

// Returns the handler that was there before.
DamageHandler on_damage(DamageHandler handler);

// `sentence` has no capital and no full stop: "blob sha256:0123456789ab is
// damaged: dropped".
void report_damage(const std::string& sentence);

}  // namespace cbuild::store
