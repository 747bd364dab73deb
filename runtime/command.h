// argv and the environment as execve(2) takes them.
#pragma once

#include <string>
#include <vector>

#include "runtime/runner.h"

namespace cbuild::runtime {

// The value of `name` in "K=V" entries, the last one counting; "" if absent.
std::string env_value(const std::vector<std::string>& env,
                      const std::string& name);

// Where argv[0] may be: itself if it has a slash, else below each absolute
// directory of PATH (BuildKit's default where there is none).
std::vector<std::string> program_candidates(const RunSpec& spec);

// `env` with HOME set to `home` where it is absent or empty, as runc does.
std::vector<std::string> with_home(std::vector<std::string> env,
                                   const std::string& home);

// What the user is told when no program ran, as runc says it; and the exit
// code a shell gives: 127 not found, 126 found but not executable.
struct ExecProblem {
  std::string message;
  int code = 127;
};
ExecProblem explain_missing(const std::string& program, int error);
ExecProblem explain_failed_exec(const std::string& path, int error);

// Pointers to the strings of a vector that outlives it, with the last one null.
std::vector<char*> c_strings(const std::vector<std::string>& strings);

}  // namespace cbuild::runtime
