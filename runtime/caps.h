// Capabilities: Docker's default set, and how a process is left with it.
#pragma once

#include <cstdint>

namespace cbuild::runtime {

// CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP
// NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP, as a bit set.
constexpr std::uint64_t kDefaultCapabilities = 0xa80425fb;

// The two halves of giving up capabilities, for the child: nothing is
// allocated; -1 and errno where the kernel refuses. The bounding set is cut
// while CAP_SETPCAP is held, the others after the user has been switched.
int drop_bounding_capabilities(std::uint64_t keep) noexcept;

// Permitted and effective become `keep` (nothing for a user other than root,
// as execve(2) leaves it), inheritable and ambient become empty.
int set_capabilities(std::uint64_t keep) noexcept;

// Every capability the process has, in all five sets, for --security=insecure.
int raise_all_capabilities() noexcept;

}  // namespace cbuild::runtime
