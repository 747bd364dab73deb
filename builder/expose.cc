// EXPOSE words, as BuildKit reads them: [ip:][host:]container[/proto], where
// each port may be a range (dockerfile2llb/convert_expose.go).
#include <arpa/inet.h>

#include "base/error.h"
#include "base/text.h"
#include "builder/image_config.h"

namespace cbuild::builder {
namespace {

struct PortRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

PortWord split_colons(const std::string& word) {
  const std::size_t last = word.rfind(':');
  if (last == std::string::npos) return {"", "", word, ""};
  const std::string container = word.substr(last + 1);
  const std::string rest = word.substr(0, last);
  const std::size_t before = rest.rfind(':');
  if (before == std::string::npos) return {"", rest, container, ""};
  return {rest.substr(0, before), rest.substr(before + 1), container, ""};
}

std::optional<std::uint64_t> port_number(const std::string& text) {
  const auto port = parse_number(text);
  if (!port || *port > 65535) return std::nullopt;
  return port;
}

std::optional<PortRange> port_range(const std::string& text) {
  const std::size_t dash = text.find('-');
  const auto first = port_number(text.substr(0, dash));
  if (!first) return std::nullopt;
  if (dash == std::string::npos) return PortRange{*first, *first};
  const auto last = port_number(text.substr(dash + 1));
  if (!last || *last < *first) return std::nullopt;
  return PortRange{*first, *last};
}

void check_address(std::string ip) {
  if (ip.empty()) return;
  if (ip.front() == '[' && ip.back() == ']') ip = ip.substr(1, ip.size() - 2);
  unsigned char buffer[sizeof(in6_addr)];
  if (::inet_pton(AF_INET, ip.c_str(), buffer) != 1 &&
      ::inet_pton(AF_INET6, ip.c_str(), buffer) != 1)
    throw Error("invalid IP address: " + ip);
}

}  // namespace

PortWord split_port(const std::string& word) {
  PortWord parts = split_colons(word);
  const std::size_t slash =
      std::min(parts.container.find('/'), parts.container.size());
  if (slash < parts.container.size())
    parts.protocol = parts.container.substr(slash + 1);
  parts.container.erase(slash);
  const std::string context = "invalid port: " + go_quote(word) + ": ";
  if (parts.container.empty()) throw Error(context + "no port specified");
  const std::string lower = to_lower(parts.protocol);
  if (!lower.empty() && lower != "tcp" && lower != "udp" && lower != "sctp")
    throw Error(context + "invalid proto: " + parts.protocol);
  return parts;
}

std::vector<std::string> parse_ports(const std::string& word) {
  const PortWord parts = split_port(word);
  const std::string proto =
      parts.protocol.empty() ? "tcp" : to_lower(parts.protocol);
  check_address(parts.ip);
  const auto range = port_range(parts.container);
  if (!range) throw Error("invalid containerPort: " + parts.container);
  if (!parts.host.empty()) {
    const auto host = port_range(parts.host);
    if (!host) throw Error("invalid hostPort: " + parts.host);
    if (host->last - host->first != range->last - range->first &&
        range->last != range->first)
      throw Error("invalid ranges specified for container and host Ports: " +
                  parts.container + " and " + parts.host);
  }
  std::vector<std::string> ports;
  for (std::uint64_t port = range->first; port <= range->last; ++port)
    ports.push_back(std::to_string(port) + "/" + proto);
  return ports;
}

}  // namespace cbuild::builder
