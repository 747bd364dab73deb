// Trying in a process of its own what changes a process for good.
#pragma once

#include <functional>
#include <string>

namespace cbuild::runtime {

// As an errno: none has that number.
constexpr int kKilledApart = 255;

// Runs `body` in a child and returns the errno that it returns, 0 for success;
// EPERM where it throws an Error without one, kKilledApart where it is killed.
// Other threads do not come along: a body that is called beside some makes
// system calls and nothing else. Any thread; throws SystemError.
int errno_apart(const std::function<int()>& body);

// -1 of a system call as its errno, else 0.
int code_of(int result);

// For the user.
std::string reason_of(int code);

}  // namespace cbuild::runtime
