// The few operations on URLs that a registry client needs (RFC 3986).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cbuild::registry {

struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case; "[::1]" with its brackets
  std::string port;    // digits; never empty
  std::string target;  // path and query, from "/" on, without fragment

  // An absolute http or https URL; nullopt for all else. User information is
  // dropped: credentials come from nowhere but registry/credentials.h.
  static std::optional<Url> parse(std::string_view text);

  std::string text() const;
  // "host" or "host:port", the port left out where it is the scheme's own.
  std::string authority() const;
  // For messages: no query, where storage services carry signatures.
  std::string redacted() const;
  bool same_origin(const Url& other) const {
    return scheme == other.scheme && host == other.host && port == other.port;
  }
};

// What a Location header leads to; nullopt where that is no http(s) URL.
std::optional<Url> resolve_url(const Url& base, std::string_view location);

// Every byte but letters, digits and "-._~" as %XX.
std::string percent_encode(std::string_view text);
// Its inverse; a "%" that starts no escape stands for itself.
std::string percent_decode(std::string_view text);

// "k=v&k2=v2" with both percent-encoded: a query, or a form.
struct Parameter {
  std::string key;
  std::string value;
};
std::string encode_query(const std::vector<Parameter>& parameters);

// `target` with the parameters behind those it has.
std::string add_query(std::string target,
                      const std::vector<Parameter>& parameters);

// localhost, 127.0.0.0/8 and ::1, written as such: no name is looked up.
bool is_loopback(std::string_view host);

}  // namespace cbuild::registry
