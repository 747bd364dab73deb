// Landlock, by raw system calls (landlock(7)): glibc has none, and the headers
// that a distribution builds with are older than the kernels it runs on.
//
// Versions of its interface, and the kernels that brought them: 2 (5.19, files
// may be moved between directories), 3 (6.2, truncate), 5 (6.10, ioctl of
// devices), 6 (6.12, signals and abstract sockets).
#pragma once

#include "base/fd.h"

namespace cbuild::runtime {

constexpr int kLandlockLeast = 2;   // below, nothing could be moved about
constexpr int kLandlockScopes = 6;  // signals and abstract sockets

// The version of the interface; -1 and errno: ENOSYS (the kernel has none),
// EOPNOTSUPP (it is not enabled), or what a seccomp filter says.
int landlock_version() noexcept;

// Rules for `version` (>= kLandlockLeast): everything below the directory
// `root` as before; no other file is opened, made, removed or executed; no
// process that has not got the rules too is traced or (version 6) signalled,
// and no abstract socket of one connected to. POSIX message queues stay those
// of the IPC namespace. Throws SystemError.
Fd make_landlock_rules(int root, int version);

// The calling thread and what it starts have to keep to them from now on. For
// the child: -1 and errno. Needs CAP_SYS_ADMIN or no_new_privs.
int restrict_by_landlock(int rules) noexcept;

}  // namespace cbuild::runtime
