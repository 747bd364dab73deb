// Threads whose work no step waits for: tarballs, records, directories.
#pragma once

namespace cbuild::builder {

// Of the calling thread, from now on. The kernel may wake it on the processor
// that the next step is being prepared on, and a thread of the usual policy
// would have that wait: for half a millisecond of each trivial RUN. Of policy
// SCHED_BATCH it waits until that one sleeps (sched(7)). Where that is not
// permitted it is only in the way.
void stand_back() noexcept;

}  // namespace cbuild::builder
