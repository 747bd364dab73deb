// The names in Docker's default seccomp profile. Calls that are allowed only
// with some arguments (clone, personality, socket) are in seccomp.cc.
#pragma once

#include <span>

namespace cbuild::runtime {

constexpr int kNewestKnownSyscall = 466;  // removexattrat, Linux 6.13

std::span<const char* const> allowed_syscalls();         // all architectures
std::span<const char* const> allowed_native_syscalls();  // this one's own
std::span<const int> allowed_syscall_numbers();          // by number

}  // namespace cbuild::runtime
