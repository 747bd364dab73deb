// Runs another program to its end and takes what it prints.
//
// The child is in a process group of its own, which is killed where the caller
// is to stop; the kernel kills the child where this process dies
// (PR_SET_PDEATHSIG).
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

namespace cbuild {

struct Program {
  std::vector<std::string> argv;  // argv[0] is looked up in $PATH
  // "NAME=value"; none: this process's own.
  std::optional<std::vector<std::string>> environment;
  std::string directory;  // to run in; empty: this process's own
  std::string input;      // its standard input
  std::optional<unsigned> umask;
  // It may talk to whoever sits at the terminal: it stays in our process group
  // and its errors go where ours go.
  bool interactive = false;
};

struct ProgramResult {
  int exit_code = 0;   // 128 + number where a signal ended it
  std::string output;  // of its standard output
  std::string errors;  // of its standard error, unless interactive
};

// Throws SystemError where the program cannot be started (code() is ENOENT
// where it is not there), Interrupted once `stop` is true.
ProgramResult run_program(const Program& program,
                          const std::atomic<bool>* stop = nullptr);

}  // namespace cbuild
