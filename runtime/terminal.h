// A terminal for a command in a container, behind the user's own.
#pragma once

#include <termios.h>

#include <thread>

#include "base/fd.h"

namespace cbuild::runtime {

// While it lives, the user's terminal is in raw mode and what is typed there
// goes to the new one, and back; its size follows.
class Terminal {
 public:
  // `user`: a descriptor of the user's terminal. Throws SystemError.
  explicit Terminal(int user);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // The command's end, for RunSpec::terminal.
  int command_end() const { return slave_.get(); }

 private:
  void copy();
  void follow_size();

  int user_;
  termios before_{};
  Fd master_;
  Fd slave_;
  Fd stop_;  // an eventfd, readable once copy() is to end
  std::thread thread_;
};

}  // namespace cbuild::runtime
