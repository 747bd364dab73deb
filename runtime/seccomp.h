// The system calls a RUN may make: Docker's default profile for the default
// capabilities (github.com/moby/profiles/seccomp).
//
// What the profile does not name fails with EPERM. What is newer than the
// newest call we know fails with ENOSYS, and so does clone3, whose flags a
// filter cannot see: C libraries then fall back to what the profile allows.
#pragma once

#include <linux/filter.h>

#include <vector>

namespace cbuild::runtime {

// The filter as the kernel takes it, for the native architecture and the ones
// its programs may switch to. Made by the first call, kept for the process;
// any thread. Empty on an architecture that we have no profile for.
const std::vector<sock_filter>& default_seccomp_filter();

// The same for a RUN that is in no pid namespace of its own: it sets no limit
// of another process, which could end that one (RLIMIT_CPU) as a signal could.
const std::vector<sock_filter>& chroot_seccomp_filter();

}  // namespace cbuild::runtime
