// Showing one registry who we are: Basic, or tokens of its token service
// (distribution's token specification and its OAuth 2 form; reference/peers.md
// 6.2).
//
// A registry says with a 401 what it wants; until then nothing is sent to it.
// Tokens are kept per set of scopes for 90 % of their life. Thread-safe: where
// several threads need one token, one fetches it. Throws CredentialsError where
// somebody refuses, with the place our credentials came from.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "registry/challenge.h"
#include "registry/credentials.h"
#include "registry/http.h"
#include "registry/retry.h"

namespace cbuild::registry {

// What a request needs: repository path -> actions ("pull", "push").
using Scopes = std::map<std::string, std::set<std::string>>;

class Authenticator {
 public:
  // `domain` as a reference has it. With `known` no store is asked.
  Authenticator(Http& http, const CredentialStore& store, std::string domain,
                RetryPolicy retry, std::optional<Credentials> known = {});

  // Value of the Authorization header for a request of these scopes, or empty.
  // May fetch a token.
  std::string authorization(const Scopes& scopes);

  // Takes in a 401 that answered `sent`; a call of authorization() then has
  // something better. Throws CredentialsError where it cannot.
  void refused(const HttpResponse& response, const Scopes& scopes,
               const std::string& sent);

  // The error for an answer of 401 or 403 that stays.
  CredentialsError denied(const HttpResponse& response, const Scopes& scopes);

 private:
  struct Token {
    std::string value;
    std::chrono::steady_clock::time_point expires;
  };

  // All of these with mutex_ held.
  const std::optional<Credentials>& credentials(const Scopes& scopes);
  const std::string& token(const Scopes& scopes);
  HttpResponse fetch_token(const Scopes& scopes);
  HttpResponse ask_with_get(const Scopes& scopes,
                            const std::optional<Credentials>& who);
  HttpResponse ask_with_post(const Scopes& scopes, const Credentials& who);
  HttpResponse ask(const HttpRequest& request);
  Url realm() const;
  CredentialsError describe_denial(const HttpResponse& response,
                                   const Scopes& scopes);

  Http& http_;
  const CredentialStore& store_;
  std::string domain_;
  RetryPolicy retry_;

  std::mutex mutex_;  // guards what follows
  // By repository path: config.json may have several accounts of one registry.
  std::map<std::string, std::optional<Credentials>> credentials_;
  bool known_ = false;  // credentials_[""] serves every repository
  std::optional<Challenge> challenge_;   // the kind the registry wants
  std::map<std::string, Token> tokens_;  // by scopes in one line
};

}  // namespace cbuild::registry
