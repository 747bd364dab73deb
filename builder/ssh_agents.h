// The agents behind --ssh, by id.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/key_agent.h"
#include "store/store.h"

namespace cbuild::builder {

// Where the keys of RUN --mount=type=ssh come from: an agent's socket, or
// files.
struct SshSource {
  std::string socket;
  std::vector<std::string> keys;  // where `socket` is empty
};

class SshAgents {
 public:
  // Agents that hold key files have their sockets in the store's tmp/.
  SshAgents(const std::map<std::string, SshSource>& sources,
            store::Store& store)
      : sources_(sources), store_(store) {}

  // A listening socket, or nullopt where no --ssh has this id. Starts an agent
  // the first time one is needed. Any thread.
  std::optional<std::string> socket(const std::string& id);

 private:
  const std::map<std::string, SshSource>& sources_;
  store::Store& store_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<runtime::KeyAgent>> agents_;
};

}  // namespace cbuild::builder
