// Who we are to a registry: docker's config.json and credential helpers.
//
// File: $DOCKER_CONFIG/config.json or ~/.docker/config.json; before it, the
// JSON in $DOCKER_AUTH_CONFIG (only `auths`). Precedence: credHelpers[host],
// credsStore, auths. Docker Hub is "https://index.docker.io/v1/" there
// (reference/peers.md 6.1).
#pragma once

#include <optional>
#include <string>

namespace cbuild::registry {

struct Credentials {
  std::string username;
  std::string password;
  std::string identity_token;  // in place of a password: OAuth refresh token
  std::string registry_token;  // used as the bearer token as it is
  std::string source;          // where it came from, for messages
};

class CredentialStore {
 public:
  // The default file; or the one given, and then $DOCKER_AUTH_CONFIG plays no
  // part. The file is read at each call; it need not exist.
  explicit CredentialStore(std::string config_path = {});

  // For a registry's domain ("docker.io", "localhost:5000"); nullopt where
  // nothing is known of it. An entry for a name space ("quay.io/team") serves
  // the repositories below it and goes before the domain's own: `path` says
  // which is asked for. Throws CredentialsError where the file cannot be used
  // or a helper fails.
  std::optional<Credentials> find(const std::string& domain,
                                  const std::string& path = {}) const;

  // Writes (mode 0600, other keys of the file kept, the old file or the whole
  // new one) or hands to the helper. Returns the name of where it went.
  std::string save(const std::string& domain, const Credentials& credentials);
  // False where there was nothing to forget.
  bool erase(const std::string& domain);

  // Where credentials are looked for, for messages.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool use_environment_ = false;
};

}  // namespace cbuild::registry
