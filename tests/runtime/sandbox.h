// A root directory with a static busybox, and commands run in it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/dir.h"
#include "runtime/runner.h"

namespace cbuild::runtime {

struct Output {
  ExitStatus status;
  std::string out;
  std::string err;
};

// Why real namespaces cannot be tested here, or "".
std::string missing_for_sandbox();

// Ends a test that cannot run, saying why.
#define NEED_SANDBOX()                                               \
  if (const std::string why = missing_for_sandbox(); !why.empty()) { \
    WARN("SKIPPED: " << why);                                        \
    return;                                                          \
  }

class Sandbox {
 public:
  Sandbox();

  // A spec for `script` under /bin/sh with fresh upper and work directories
  // and no network.
  RunSpec spec(const std::string& script);
  Output run(const RunSpec& spec, const std::atomic<bool>* stop = nullptr);
  Output run(const std::string& script) { return run(spec(script)); }

  // Paths below the upper directory of the last spec(), sorted, joined by ' '.
  std::string written() const;

  // Writes a file below the root directory, making its parents.
  void put(const std::string& path, const std::string& content);

  const std::string& dir() const { return dir_.path(); }
  std::string root() const { return dir() + "/root"; }
  std::string upper() const { return upper_; }
  Runner& runner() { return *runner_; }

 private:
  TempDir dir_;
  std::string upper_;
  int count_ = 0;
  std::unique_ptr<Runner> runner_;
};

// A new directory below the sandbox with one file in it.
std::string make_source(const Sandbox& sandbox, const std::string& name,
                        const std::string& file, const std::string& content);

}  // namespace cbuild::runtime
