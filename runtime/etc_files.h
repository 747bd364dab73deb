// The contents of /etc/hosts and /etc/resolv.conf of a RUN, as BuildKit makes
// them (executor/oci/hosts.go, resolvconf.go).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cbuild::runtime {

// Two lines for the loopback addresses, then "address<TAB>name" for each of
// `extra` (name, address).
std::string hosts_file(
    const std::string& hostname,
    const std::vector<std::pair<std::string, std::string>>& extra);

// `host_file` without the name servers that only the host itself can reach
// (loopback); where none is left, with `forwarder` in place of those, and with
// two public ones where there is no such thing. Order, search, options and
// comments are kept.
std::string container_resolv_conf(std::string_view host_file,
                                  const std::string& forwarder = "");

// True where systemd-resolved's 127.0.0.53 is the only name server: what it
// asks in turn is in /run/systemd/resolve/resolv.conf.
bool only_systemd_resolved(std::string_view host_file);

// The file for a RUN: the host's as it is (`host_network`), or fit for a
// network namespace of its own. Reads /etc/resolv.conf; absent is empty.
std::string resolv_conf(bool host_network, const std::string& forwarder);

}  // namespace cbuild::runtime
