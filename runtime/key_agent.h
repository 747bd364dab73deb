// An ssh-agent process with keys from files, for --ssh id=key.
#pragma once

#include <string>
#include <vector>

#include "base/dir.h"
#include "runtime/guard.h"

namespace cbuild::runtime {

class KeyAgent {
 public:
  // Starts OpenSSH's ssh-agent, its socket in `directory`, and adds the keys;
  // they are only ever in its memory. Throws Error naming the file of a key
  // that cannot be added (a passphrase is not asked for), and where ssh-agent
  // is not installed.
  KeyAgent(TempDir directory, const std::vector<std::string>& keys);

  std::string socket() const { return directory_.path() + "/agent"; }

 private:
  // Ends with this object, also where the keys are not taken.
  struct Process {
    Process() = default;
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    Fd pidfd;
    Guard::Slot guarded;
  };

  void start();
  void add(const std::string& key);

  TempDir directory_;
  Process agent_;
};

}  // namespace cbuild::runtime
