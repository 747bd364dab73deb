#include "registry/auth.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/text.h"
#include "registry/answer.h"

namespace cbuild::registry {
namespace {

using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kShortestLife = 60;
constexpr std::int64_t kLongestLife = 24 * 3600;

// "repository:team/app:pull,push", one for each repository.
std::vector<std::string> scope_texts(const Scopes& scopes) {
  std::vector<std::string> result;
  for (const auto& [path, actions] : scopes)
    result.push_back(
        "repository:" + path + ":" +
        join(std::vector<std::string>(actions.begin(), actions.end()), ","));
  return result;
}

std::string scope_key(const Scopes& scopes) {
  return join(scope_texts(scopes), " ");
}

bool wants_push(const Scopes& scopes) {
  return std::any_of(scopes.begin(), scopes.end(), [](const auto& scope) {
    return scope.second.contains("push");
  });
}

// The repository that a request is about: the one that is written to.
std::string subject(const Scopes& scopes) {
  for (const auto& [path, actions] : scopes)
    if (actions.contains("push")) return path;
  return scopes.empty() ? "" : scopes.begin()->first;
}

std::string basic(const Credentials& who) {
  return "Basic " + base64_encode(who.username + ":" + who.password);
}

// How the credentials are named in messages.
std::string name_of(const Credentials& who) {
  if (!who.registry_token.empty())
    return "the registry token from " + who.source;
  if (!who.identity_token.empty())
    return "the identity token from " + who.source;
  return "user " + who.username + " from " + who.source;
}

std::optional<Challenge> choose(const HttpResponse& response) {
  std::optional<Challenge> chosen;
  for (const std::string& field : response.all("www-authenticate")) {
    for (Challenge& challenge : parse_challenges(field)) {
      if (challenge.scheme == "bearer" && !challenge.parameter("realm").empty())
        return std::move(challenge);
      if (challenge.scheme == "basic") chosen = std::move(challenge);
    }
  }
  return chosen;
}

}  // namespace

Authenticator::Authenticator(Http& http, const CredentialStore& store,
                             std::string domain, RetryPolicy retry,
                             std::optional<Credentials> known)
    : http_(http),
      store_(store),
      domain_(std::move(domain)),
      retry_(retry),
      known_(known.has_value()) {
  if (known) credentials_.emplace("", std::move(known));
}

const std::optional<Credentials>& Authenticator::credentials(
    const Scopes& scopes) {
  const std::string path = known_ ? "" : subject(scopes);
  const auto found = credentials_.find(path);
  if (found != credentials_.end()) return found->second;
  return credentials_.emplace(path, store_.find(domain_, path)).first->second;
}

std::string Authenticator::authorization(const Scopes& scopes) {
  const std::lock_guard lock(mutex_);
  if (!challenge_) return "";
  if (challenge_->scheme == "bearer") return "Bearer " + token(scopes);
  const std::optional<Credentials>& who = credentials(scopes);
  return who ? basic(*who) : "";
}

void Authenticator::refused(const HttpResponse& response, const Scopes& scopes,
                            const std::string& sent) {
  const std::lock_guard lock(mutex_);
  std::optional<Challenge> wanted = choose(response);
  if (!wanted) throw describe_denial(response, scopes);
  challenge_ = std::move(wanted);
  if (challenge_->scheme == "basic") {
    const std::optional<Credentials>& who = credentials(scopes);
    if (!who || sent == basic(*who)) throw describe_denial(response, scopes);
    return;
  }
  // Another thread may have fetched a newer one since `sent` was made.
  const auto held = tokens_.find(scope_key(scopes));
  if (held != tokens_.end() && sent == "Bearer " + held->second.value)
    tokens_.erase(held);
}

CredentialsError Authenticator::denied(const HttpResponse& response,
                                       const Scopes& scopes) {
  const std::lock_guard lock(mutex_);
  return describe_denial(response, scopes);
}

CredentialsError Authenticator::describe_denial(const HttpResponse& response,
                                                const Scopes& scopes) {
  const std::optional<Credentials>& who = credentials(scopes);
  const std::string path = subject(scopes);
  std::string text = path.empty() ? "access to " + domain_
                     : wants_push(scopes)
                         ? "push access to " + domain_ + "/" + path
                         : "pull access to " + domain_ + "/" + path;
  text += " denied";
  if (who)
    return CredentialsError(text + " for " + name_of(*who) + ": " +
                            describe(response));
  text += ": " + describe(response);
  if (!path.empty())
    text += "; the repository does not exist or needs credentials, and";
  else
    text += ";";
  text += " there are none for " + domain_;
  if (!store_.path().empty()) text += " in " + store_.path();
  return CredentialsError(text + " (cbuild login " + domain_ + ")");
}

const std::string& Authenticator::token(const Scopes& scopes) {
  const std::string key = scope_key(scopes);
  const auto held = tokens_.find(key);
  if (held != tokens_.end() && Clock::now() < held->second.expires)
    return held->second.value;
  const std::optional<Credentials>& who = credentials(scopes);
  if (who && !who->registry_token.empty())
    return (tokens_[key] = {who->registry_token, Clock::time_point::max()})
        .value;

  const HttpResponse response = fetch_token(scopes);
  const nlohmann::json body =
      nlohmann::json::parse(response.body, nullptr, false);
  const auto text = [&](const char* name) -> std::string {
    return body.is_object() && body.contains(name) && body[name].is_string()
               ? body[name]
               : "";
  };
  std::string value = text("token");
  if (value.empty()) value = text("access_token");
  if (value.empty())
    throw RegistryError("the token service " + response.url.redacted() +
                            " answered without a token",
                        response.status, "");
  std::int64_t life = kShortestLife;
  if (body.contains("expires_in") && body["expires_in"].is_number())
    life = std::clamp(body["expires_in"].get<std::int64_t>(), kShortestLife,
                      kLongestLife);
  // Used for nine tenths of its life, so that it does not end under way.
  tokens_[key] = {std::move(value), Clock::now() + seconds(life) * 9 / 10};
  return tokens_[key].value;
}

Url Authenticator::realm() const {
  const std::string text = challenge_->parameter("realm");
  const std::optional<Url> url = Url::parse(text);
  if (!url)
    throw RegistryError(
        domain_ + " names no usable token service: realm " + go_quote(text),
        401, "");
  return *url;
}

HttpResponse Authenticator::fetch_token(const Scopes& scopes) {
  const std::optional<Credentials>& who = credentials(scopes);
  if (who && realm().scheme == "http" && !is_loopback(realm().host) &&
      http_.options().verify)
    throw CredentialsError("the token service of " + domain_ + ", " +
                           realm().redacted() +
                           ", is not HTTPS: not sending it credentials "
                           "(--insecure allows that)");
  HttpResponse response;
  if (who && !who->identity_token.empty()) {
    response = ask_with_post(scopes, *who);
  } else {
    response = ask_with_get(scopes, who);
    const int status = response.status;
    // Some services know the OAuth 2 form only (reference/peers.md 6.2).
    if (who && (status == 401 || status == 404 || status == 405)) {
      HttpResponse second = ask_with_post(scopes, *who);
      if (second.ok()) response = std::move(second);
    }
  }
  if (response.ok()) return response;
  if (response.status == 401 || response.status == 403)
    throw describe_denial(response, scopes);
  throw RegistryError(
      "the token service of " + domain_ + " failed: " + describe(response),
      response.status, words_of(response).code);
}

HttpResponse Authenticator::ask_with_get(
    const Scopes& scopes, const std::optional<Credentials>& who) {
  HttpRequest request;
  request.url = realm();
  std::vector<Parameter> query;
  if (const std::string service = challenge_->parameter("service");
      !service.empty())
    query.push_back({"service", service});
  for (const std::string& scope : scope_texts(scopes))
    query.push_back({"scope", scope});
  if (who) {
    query.push_back({"account", who->username});
    request.authorization = basic(*who);
  }
  request.url.target = add_query(request.url.target, query);
  return ask(request);
}

HttpResponse Authenticator::ask_with_post(const Scopes& scopes,
                                          const Credentials& who) {
  std::vector<Parameter> form = {{"client_id", "cbuild"}};
  if (const std::string service = challenge_->parameter("service");
      !service.empty())
    form.push_back({"service", service});
  if (!scopes.empty()) form.push_back({"scope", scope_key(scopes)});
  if (who.identity_token.empty()) {
    form.push_back({"grant_type", "password"});
    form.push_back({"username", who.username});
    form.push_back({"password", who.password});
  } else {
    form.push_back({"grant_type", "refresh_token"});
    form.push_back({"refresh_token", who.identity_token});
  }
  HttpRequest request;
  request.method = "POST";
  request.url = realm();
  request.headers = {"Content-Type: application/x-www-form-urlencoded"};
  request.body = encode_query(form);
  request.follow = false;
  return ask(request);
}

HttpResponse Authenticator::ask(const HttpRequest& request) {
  return Retry(retry_).run([&] {
    HttpResponse response = http_.send(request);
    if (response.status == 408 || response.status == 429 ||
        response.status >= 500)
      throw_status(response);
    return response;
  });
}

}  // namespace cbuild::registry
