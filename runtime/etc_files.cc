#include "runtime/etc_files.h"

#include <arpa/inet.h>

#include <cstring>

#include "base/dir.h"
#include "base/text.h"

namespace cbuild::runtime {
namespace {

constexpr const char* kResolvConf = "/etc/resolv.conf";
constexpr const char* kResolvedConf = "/run/systemd/resolve/resolv.conf";

// The address in a "nameserver" line, or "".
std::string name_server(std::string_view line) {
  for (const char separator : {' ', '\t'}) {
    const std::string keyword = std::string("nameserver") + separator;
    if (!line.starts_with(keyword)) continue;
    const std::string_view rest = trim(line.substr(keyword.size()));
    return std::string(rest.substr(0, rest.find_first_of(" \t")));
  }
  return "";
}

std::vector<std::string> name_servers(std::string_view file) {
  std::vector<std::string> servers;
  for (const std::string& line : split(file, '\n'))
    if (std::string server = name_server(line); !server.empty())
      servers.push_back(std::move(server));
  return servers;
}

bool is_loopback(const std::string& address) {
  in_addr v4;
  if (::inet_pton(AF_INET, address.c_str(), &v4) == 1)
    return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6;
  const std::string plain = address.substr(0, address.find('%'));
  return ::inet_pton(AF_INET6, plain.c_str(), &v6) == 1 &&
         std::memcmp(&v6, &in6addr_loopback, sizeof v6) == 0;
}

}  // namespace

std::string hosts_file(
    const std::string& hostname,
    const std::vector<std::pair<std::string, std::string>>& extra) {
  std::string file = "127.0.0.1\tlocalhost " + hostname +
                     "\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  for (const auto& [name, address] : extra)
    file += address + "\t" + name + "\n";
  return file;
}

std::string container_resolv_conf(std::string_view host_file,
                                  const std::string& forwarder) {
  std::vector<std::string> kept;
  bool reachable = false;
  bool loopback = false;
  for (std::string& line : split(host_file, '\n')) {
    const std::string server = name_server(line);
    if (!server.empty() && is_loopback(server)) {
      loopback = true;
      continue;
    }
    reachable |= !server.empty();
    kept.push_back(std::move(line));
  }
  std::string file = join(kept, "\n");
  if (!file.empty() && file.back() != '\n') file += '\n';
  if (reachable) return file;
  if (loopback && !forwarder.empty())
    return file + "nameserver " + forwarder + "\n";
  return file + "nameserver 8.8.8.8\nnameserver 8.8.4.4\n";
}

bool only_systemd_resolved(std::string_view host_file) {
  return name_servers(host_file) == std::vector<std::string>{"127.0.0.53"};
}

std::string resolv_conf(bool host_network, const std::string& forwarder) {
  std::string file = read_file(kResolvConf).value_or("");
  if (host_network && !name_servers(file).empty()) return file;
  if (!host_network && only_systemd_resolved(file))
    file = read_file(kResolvedConf).value_or(file);
  return container_resolv_conf(file, forwarder);
}

}  // namespace cbuild::runtime
