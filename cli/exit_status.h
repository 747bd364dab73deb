// An end that is no failure of the program: what was to be said has been said.
#pragma once

#include "base/error.h"

namespace cbuild::cli {

// Ends the command with `code`; nothing is printed of it.
class ExitStatus : public Error {
 public:
  explicit ExitStatus(int code) : Error("exit status"), code_(code) {}
  int code() const noexcept { return code_; }

 private:
  int code_;
};

}  // namespace cbuild::cli
