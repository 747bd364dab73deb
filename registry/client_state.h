// What a Client keeps between calls; and the steps its verbs share.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "registry/client.h"
#include "registry/http.h"
#include "registry/session.h"

namespace cbuild::registry {

// On a descriptor that resolve() returns, hence in the store's records of it:
// the repository it came from ("docker.io/library/alpine"). Its layers can be
// mounted from there when they are pushed to the same registry.
inline constexpr const char* kSourceAnnotation = "io.cbuild.source";

struct Client::State {
  explicit State(ClientOptions client_options)
      : options(std::move(client_options)),
        http({!options.insecure, options.ca_files, options.stop}) {}

  Session& session(const std::string& domain);

  // Remembers that a repository has a blob; and which others of its domain do.
  void has_blob(const Reference& repository, const store::Digest& digest);
  std::set<std::string> repositories_with(const std::string& domain,
                                          const store::Digest& digest);

  ClientOptions options;
  Http http;

 private:
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Session>> sessions_;  // by domain
  std::map<store::Digest, std::set<std::string>> seen_;       // full names
};

// Fetches one blob into the store, unless it is there: from the registry, or
// where it has none from the descriptor's urls. A transfer that breaks off goes
// on where it ended. Throws store::DigestMismatch for other bytes than
// promised.
void fetch_blob(Session& session, const Reference& from, store::Store& store,
                const store::Descriptor& blob, const std::string& what,
                const TransferSink& progress);

// Sends one blob unless the registry has it, mounting it from one of the
// repositories `sources` where that can be.
void push_blob(Session& session, store::Store& store, const Reference& to,
               const store::Descriptor& blob, const std::string& what,
               const std::vector<std::string>& sources,
               const TransferSink& progress);

// Layers that their registry does not keep: only their urls do.
bool is_foreign(const store::Descriptor& layer);

}  // namespace cbuild::registry
