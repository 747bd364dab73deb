// --secret and --ssh: what RUNs are lent.
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/text.h"
#include "cli/run_flags.h"
#include "cli/values.h"

namespace cbuild::cli {
namespace {

builder::SecretSource secret_source(const std::string& id,
                                    const std::string& type,
                                    const std::string& path,
                                    const std::string& variable) {
  using Kind = builder::SecretSource::Kind;
  if (!variable.empty()) return {Kind::environment, variable};
  if (type == "env") return {Kind::environment, path.empty() ? id : path};
  if (!path.empty()) return {Kind::file, path};
  // Only an id: a variable of that name, else a file (buildx).
  if (type.empty() && std::getenv(id.c_str()) != nullptr)
    return {Kind::environment, id};
  return {Kind::file, id};
}

}  // namespace

void read_secrets(const Arguments& arguments, builder::BuildRequest& request) {
  for (const std::string& text : arguments.values("secret")) {
    std::string id, type, path, variable;
    for (const std::string& field : split(text, ',')) {
      const auto [key, value] = cut(field);
      const std::string name = to_lower(key);
      if (!value)
        refuse_value("secret", text,
                     "invalid field '" + field + "' must be a key=value pair");
      if (name == "id")
        id = *value;
      else if (name == "src" || name == "source")
        path = *value;
      else if (name == "env")
        variable = *value;
      else if (name == "type" && (*value == "file" || *value == "env"))
        type = *value;
      else if (name == "type")
        refuse_value("secret", text,
                     "unsupported secret type \"" + *value + "\"");
      else
        refuse_value("secret", text,
                     "unexpected key '" + key + "' in '" + field + "'" +
                         did_you_mean(key, {"id", "src", "env"}));
    }
    if (id.empty()) refuse_value("secret", text, "it has no id");
    request.secrets[id] = secret_source(id, type, path, variable);
  }
}

// default|ID[=SOCKET|KEY[,KEY...]]; without a path, the agent of the caller.
void read_ssh(const Arguments& arguments, builder::BuildRequest& request) {
  for (const std::string& text : arguments.values("ssh")) {
    auto [id, paths] = cut(text);
    if (id.empty()) id = "default";
    if (request.ssh.contains(id))
      refuse_value("ssh", text, "there are two of the id " + id);
    builder::SshSource source;
    const char* agent = std::getenv("SSH_AUTH_SOCK");
    if (!paths && (agent == nullptr || *agent == '\0'))
      refuse_value("ssh", text,
                   "no agent and no key: make sure SSH_AUTH_SOCK is set");
    for (const std::string& path : split(paths ? *paths : agent, ',')) {
      struct stat st;
      if (::stat(path.c_str(), &st) == -1)
        refuse_value("ssh", text, path + ": " + std::strerror(errno));
      if (S_ISSOCK(st.st_mode))
        source.socket = path;
      else
        source.keys.push_back(path);
      if (!source.socket.empty() && (paths ? *paths : agent) != path)
        refuse_value("ssh", text, "a socket can only stand alone");
    }
    request.ssh.emplace(id, std::move(source));
  }
}

}  // namespace cbuild::cli
