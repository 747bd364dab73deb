// Errors: every failure that is not an answer is thrown as an Error.
//
// An absent blob, a cache miss or a RUN that exits 1 is an answer and comes
// back as a value. Only cli/main.cc catches an Error for good; it maps the
// class to the exit code (DESIGN.md section 7). Elsewhere a catch adds context.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace cbuild {

// The base of all of cbuild's exceptions. what() is one sentence for a person,
// context first: "RUN make: mount root: Invalid argument".
class Error : public std::exception {
 public:
  explicit Error(std::string message) : message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

  // Puts `doing` and ": " in front of the message.
  void add_context(std::string_view doing);

 private:
  std::string message_;
};

// A system call failed. code() is its errno, kept so that a caller can tell a
// full disk (ENOSPC, EDQUOT) from the rest.
class SystemError : public Error {
 public:
  SystemError(int code, std::string_view call, std::string_view subject);
  int code() const noexcept { return code_; }

 private:
  int code_;
};

// The command line, or an option's value, cannot be used: exit code 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

// The user or a signal asked to stop: exit code 130.
class Interrupted : public Error {
 public:
  Interrupted() : Error("interrupted") {}
};

// Returns `rc`, or throws SystemError if it is -1. `subject` is what the call
// was about; it is a view so that evaluating it cannot overwrite errno.
template <typename Integer>
Integer check(Integer rc, std::string_view call, std::string_view subject);

[[noreturn]] void throw_system_error(std::string_view call,
                                     std::string_view subject);

template <typename Integer>
Integer check(Integer rc, std::string_view call, std::string_view subject) {
  if (rc == Integer(-1)) throw_system_error(call, subject);
  return rc;
}

// Runs `body`; an Error leaving it gains the prefix `doing`.
template <typename Body>
auto in_context(std::string_view doing, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (Error& e) {
    e.add_context(doing);
    throw;
  }
}

}  // namespace cbuild
