#include "registry/session.h"

#include <algorithm>

#include "registry/answer.h"

namespace cbuild::registry {
namespace {

// A server without TLS may wait for the end of a line that never comes.
constexpr std::chrono::seconds kProbeTimeout{5};

std::string host_of(const std::string& domain) {
  return domain == "docker.io" ? "registry-1.docker.io" : domain;
}

Url make_origin(const std::string& scheme, const std::string& domain) {
  const std::optional<Url> url =
      Url::parse(scheme + "://" + host_of(domain) + "/");
  if (!url) throw RegistryError("no such registry: " + domain, 0, "");
  return *url;
}

bool is_no_tls(Fault fault) {
  switch (fault) {
    case Fault::refused:
    case Fault::timed_out:
    case Fault::not_tls:
    case Fault::tls:
    case Fault::broken:
      return true;
    case Fault::none:
    case Fault::unknown_host:
    case Fault::untrusted:  // a TLS server: never answered with plain HTTP
    case Fault::other:
      return false;
  }
  return false;
}

}  // namespace

std::string v2_target(const std::string& path, const std::string& rest) {
  return "/v2/" + path + "/" + rest;
}

Scopes pull_scope(const std::string& path) { return {{path, {"pull"}}}; }

Scopes push_scope(const std::string& path) {
  return {{path, {"pull", "push"}}};
}

Session::Session(Http& http, const ClientOptions& options,
                 const std::string& domain, std::optional<Credentials> known)
    : http_(http),
      domain_(domain),
      retry_{options.retry_pause, options.stop},
      may_be_plain_(options.insecure ||
                    is_loopback(make_origin("https", domain).host)),
      auth_(http, options.credentials, domain, retry_, std::move(known)) {}

Url Session::origin() {
  const std::lock_guard lock(mutex_);
  if (!origin_)
    origin_ = may_be_plain_ ? find_origin() : make_origin("https", domain_);
  return *origin_;
}

Url Session::find_origin() const {
  const Url secure = make_origin("https", domain_);
  const Url plain = make_origin("http", domain_);
  HttpRequest probe;
  probe.method = "HEAD";
  probe.connect_timeout = kProbeTimeout;
  probe.url = secure;
  probe.url.target = "/v2/";
  try {
    http_.send(probe);
    return secure;
  } catch (const HttpFailure& failure) {
    if (!is_no_tls(failure.fault())) throw;
  }
  // Of two refusals this one is told: with no port given it is port 80.
  probe.url.scheme = plain.scheme;
  probe.url.port = plain.port;
  http_.send(probe);
  return plain;
}

HttpResponse Session::authorized(const Call& call, HttpRequest& request,
                                 bool ours) {
  Scopes scopes = call.scopes;
  for (bool asked_anew = false;; asked_anew = true) {
    if (ours) request.authorization = auth_.authorization(scopes);
    HttpResponse response = http_.send(request);
    // A storage service that we were sent on to has refusals of its own.
    if (!ours || !response.url.same_origin(request.url)) return response;
    if (response.status == 403) throw auth_.denied(response, scopes);
    if (response.status != 401) return response;
    if (asked_anew) throw auth_.denied(response, scopes);
    auth_.refused(response, scopes, request.authorization);
  }
}

HttpResponse Session::send_once(const Call& call) {
  const Url home = origin();
  HttpRequest request;
  request.method = call.method;
  request.url = call.location.value_or(home);
  if (!call.location) request.url.target = call.target;
  request.headers = call.headers;
  request.body = call.body;
  request.file = call.file;
  request.on_body = call.on_body;
  request.on_sent = call.on_sent;
  HttpResponse response =
      authorized(call, request, request.url.same_origin(home));
  const bool is_answer = std::find(call.answers.begin(), call.answers.end(),
                                   response.status) != call.answers.end();
  if (!response.ok() && !is_answer) throw_status(response);
  return response;
}

HttpResponse Session::send(const Call& call) {
  return Retry(retry_).run([&] { return send_once(call); });
}

}  // namespace cbuild::registry
