#include "builder/ssh_agents.h"

namespace cbuild::builder {

std::optional<std::string> SshAgents::socket(const std::string& id) {
  const auto source = sources_.find(id);
  if (source == sources_.end()) return std::nullopt;
  if (!source->second.socket.empty()) return source->second.socket;
  const std::lock_guard lock(mutex_);
  auto& agent = agents_[id];
  if (!agent)
    agent = std::make_unique<runtime::KeyAgent>(store_.temp_dir("agent-"),
                                                source->second.keys);
  return agent->socket();
}

}  // namespace cbuild::builder
