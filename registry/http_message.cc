#include <cstring>

#include "registry/http.h"

namespace cbuild::registry {
namespace {

constexpr int kMaxRedirects = 10;

// A request with a body goes elsewhere only where the answer says that it is to
// stay what it is (RFC 9110, 15.4).
bool is_redirect(const HttpResponse& response, const HttpRequest& request) {
  if (!request.follow) return false;
  switch (response.status) {
    case 301:
    case 302:
    case 303:
      return (request.method == "GET" || request.method == "HEAD") &&
             !response.header("location").empty();
    case 307:
    case 308:
      return !response.header("location").empty();
    default:
      return false;
  }
}

}  // namespace

std::string explain_fault(Fault fault, const Url& url,
                          const std::string& detail, int os_error) {
  const std::string host = url.authority();
  switch (fault) {
    case Fault::unknown_host:
      return "cannot find host " + url.host + ": " + detail;
    case Fault::refused:
      return "cannot connect to " + host + ": " +
             (os_error != 0 ? std::strerror(os_error) : detail);
    case Fault::timed_out:
      return host + " does not answer: " + detail;
    case Fault::not_tls:
      return host +
             " speaks plain HTTP, not HTTPS; --insecure allows that for this "
             "registry";
    case Fault::untrusted:
      return host + " cannot be trusted: " + detail +
             "; if a private authority signed its certificate, give that "
             "authority's certificate with --tls-ca FILE or put it into "
             "/etc/docker/certs.d/" +
             host + "/ca.crt";
    case Fault::tls:
      return "no TLS connection to " + host + ": " + detail;
    case Fault::broken:
      return "the connection to " + host + " broke off: " + detail;
    case Fault::other:
    case Fault::none:
      break;
  }
  return url.redacted() + ": " + detail;
}

std::string HttpResponse::header(std::string_view name) const {
  for (const Header& header : headers)
    if (header.name == name) return header.value;
  return "";
}

std::vector<std::string> HttpResponse::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const Header& header : headers)
    if (header.name == name) values.push_back(header.value);
  return values;
}

HttpResponse Http::send(const HttpRequest& request) {
  HttpRequest hop = request;
  for (int redirects = 0;; ++redirects) {
    HttpResponse response = exchange(hop);
    if (!is_redirect(response, hop)) return response;
    const std::string location = response.header("location");
    const std::optional<Url> next = resolve_url(hop.url, location);
    if (!next)
      throw RegistryError(hop.url.redacted() + ": leads to no URL",
                          response.status, "");
    if (hop.url.scheme == "https" && next->scheme == "http" && options_.verify)
      throw RegistryError(hop.url.redacted() + ": leads away from HTTPS to " +
                              next->redacted() + ", which is not followed",
                          response.status, "");
    if (redirects == kMaxRedirects)
      throw RegistryError(request.url.redacted() + ": more than " +
                              std::to_string(kMaxRedirects) + " redirects",
                          response.status, "");
    if (!next->same_origin(request.url)) hop.authorization.clear();
    hop.url = *next;
  }
}

}  // namespace cbuild::registry
