#include "registry/url.h"

#include <algorithm>

#include "base/text.h"

namespace cbuild::registry {
namespace {

bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' || c == '~';
}

const char* default_port(std::string_view scheme) {
  return scheme == "https" ? "443" : "80";
}

// -1 for what is no hexadecimal digit.
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_port(std::string_view text) {
  const auto number = parse_number(text);
  return number && *number > 0 && *number < 65536;
}

// Directory of a path, with its last '/'.
std::string parent(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  return std::string(path.substr(0, path.rfind('/') + 1));
}

}  // namespace

std::optional<Url> Url::parse(std::string_view text) {
  // A control byte or blank would end the request line early.
  if (std::any_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
      }))
    return std::nullopt;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  Url url;
  url.scheme = to_lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") return std::nullopt;
  text.remove_prefix(colon + 3);
  text = text.substr(0, text.find('#'));
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  std::string_view host = text.substr(0, end);
  url.target = text.substr(end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  const std::size_t at = host.rfind('@');
  if (at != std::string_view::npos) host.remove_prefix(at + 1);

  const std::size_t bracket = host.find(']');
  const std::size_t port =
      host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  url.host = to_lower(host.substr(0, port));
  url.port = port == std::string_view::npos ? default_port(url.scheme)
                                            : host.substr(port + 1);
  if (url.host.empty() || !is_port(url.port)) return std::nullopt;
  return url;
}

std::string Url::authority() const {
  return port == default_port(scheme) ? host : host + ":" + port;
}

std::string Url::text() const { return scheme + "://" + authority() + target; }

std::string Url::redacted() const {
  const std::size_t query = target.find('?');
  return scheme + "://" + authority() + target.substr(0, query) +
         (query == std::string::npos ? "" : "?...");
}

std::optional<Url> resolve_url(const Url& base, std::string_view location) {
  if (location.find("://") < location.find_first_of("/?#"))
    return Url::parse(location);
  const std::string origin = base.scheme + "://" + base.authority();
  if (location.starts_with("//"))
    return Url::parse(base.scheme + ":" + std::string(location));
  if (location.starts_with("/"))
    return Url::parse(origin + std::string(location));
  if (location.starts_with("?"))
    return Url::parse(origin + base.target.substr(0, base.target.find('?')) +
                      std::string(location));
  return Url::parse(origin + parent(base.target) + std::string(location));
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    if (is_plain(c)) {
      result += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    result += '%';
    result += kDigits[byte >> 4];
    result += kDigits[byte & 15];
  }
  return result;
}

std::string percent_decode(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool room = text[i] == '%' && i + 2 < text.size();
    const int high = room ? hex_value(text[i + 1]) : -1;
    const int low = room ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      result += text[i];
      continue;
    }
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

std::string encode_query(const std::vector<Parameter>& parameters) {
  std::vector<std::string> pairs;
  for (const Parameter& p : parameters)
    pairs.push_back(percent_encode(p.key) + "=" + percent_encode(p.value));
  return join(pairs, "&");
}

std::string add_query(std::string target,
                      const std::vector<Parameter>& parameters) {
  if (parameters.empty()) return target;
  if (target.find('?') == std::string::npos)
    target += '?';
  else if (!target.ends_with('?') && !target.ends_with('&'))
    target += '&';
  return target + encode_query(parameters);
}

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  const std::vector<std::string> parts = split(host, '.');
  return parts.size() == 4 && parts[0] == "127" &&
         std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
           const auto number = parse_number(part);
           return number && *number < 256;
         });
}

}  // namespace cbuild::registry
