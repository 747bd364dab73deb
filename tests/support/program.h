// Programs that a test runs: to the end, or beside it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cbuild::test {

// True where `name` is in $PATH.
bool has_program(const std::string& name);

struct Finished {
  int exit_code = -1;
  std::string output;  // standard output and error together
};

// Runs argv to its end with `input` as standard input; exit code 127 where it
// cannot be started.
Finished run_program(const std::vector<std::string>& argv,
                     const std::string& input = {});

// A server: started with its output in a file, killed by its pid and waited for
// on destruction.
class Server {
 public:
  Server(const std::vector<std::string>& argv, std::string log_path);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // What follows `before` in the log, up to a byte not in `of`; waits until it
  // is there. Throws with the log if that takes 20 s or the server ends.
  std::string wait_for(const std::string& before, const std::string& of);
  std::string log() const;
  pid_t pid() const { return pid_; }

 private:
  bool running();

  std::string log_path_;
  pid_t pid_ = -1;
};

// Sets variables of the environment, or unsets them (nullopt), for a scope.
class Environment {
 public:
  explicit Environment(
      const std::map<std::string, std::optional<std::string>>& variables);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment();

 private:
  std::map<std::string, std::optional<std::string>> old_;
};

}  // namespace cbuild::test
