// Whether the kernel killed something for lack of memory.
#pragma once

#include <cstdint>

namespace cbuild::runtime {

// Processes killed so far in cbuild's own cgroup, whose limit is that of a CI
// job or a pod and whose count includes what its children did (memory.events,
// or memory.oom_control in version 1); on the machine where that has no count;
// 0 where none is known. Any thread.
std::uint64_t out_of_memory_kills();

}  // namespace cbuild::runtime
