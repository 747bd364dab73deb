// The client's side of one registry: where it is, and requests that carry what
// it takes to be answered.
//
// Where: HTTPS. For this machine, or with `insecure`, plain HTTP if there is no
// TLS on that port; that is found out once, before the first request. Docker
// Hub's "docker.io" is registry-1.docker.io. Thread-safe.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "registry/auth.h"
#include "registry/client.h"
#include "registry/http.h"
#include "registry/retry.h"

namespace cbuild::registry {

// A request to a registry, apart from who we are.
struct Call {
  std::string method = "GET";
  std::string target;           // path and query from "/v2/" on
  std::optional<Url> location;  // in place of `target`: where we were sent
  Scopes scopes;
  std::vector<std::string> headers;
  std::string body;
  std::optional<FileBody> file;
  std::function<void(const HttpResponse& head, std::string_view data)> on_body;
  std::function<void(std::uint64_t sent)> on_sent;
  // Statuses besides 2xx that are answers and not failures.
  std::vector<int> answers;
};

class Session {
 public:
  // With `known` no credentials are looked up.
  Session(Http& http, const ClientOptions& options, const std::string& domain,
          std::optional<Credentials> known = {});

  // Tried again as registry/retry.h says. Throws HttpFailure for a status that
  // is no answer, CredentialsError for 401 and 403.
  HttpResponse send(const Call& call);
  // The same, once: for calls that have to be changed before a second try.
  HttpResponse send_once(const Call& call);

  const std::string& domain() const { return domain_; }
  const RetryPolicy& retry() const { return retry_; }

 private:
  Url origin();
  Url find_origin() const;
  HttpResponse authorized(const Call& call, HttpRequest& request, bool ours);

  Http& http_;
  std::string domain_;
  RetryPolicy retry_;
  bool may_be_plain_;  // HTTP in place of HTTPS
  Authenticator auth_;

  std::mutex mutex_;
  std::optional<Url> origin_;  // guarded by mutex_
};

// "/v2/<path>/<rest>".
std::string v2_target(const std::string& path, const std::string& rest);

Scopes pull_scope(const std::string& path);
Scopes push_scope(const std::string& path);

}  // namespace cbuild::registry
