// Source NAT on the host for a block of container addresses.
#pragma once

#include <memory>
#include <string>

#include "runtime/netlink.h"
#include "runtime/subnet.h"

namespace cbuild::runtime {

// Rules of iptables(8), each the arguments that delete it; deleted on
// destruction.
class IptablesRules {
 public:
  using Rule = std::vector<std::string>;

  IptablesRules() = default;
  IptablesRules(const IptablesRules&) = delete;
  IptablesRules& operator=(const IptablesRules&) = delete;
  ~IptablesRules();

  // Throws Error where iptables fails or is missing.
  void add(Rule rule);

 private:
  std::vector<Rule> rules_;
};

// Packets from `block` that leave the host get its address, while this object
// lives; forwarding (net.ipv4.ip_forward) is turned on and stays on.
//
// The rule is in an nf_tables table that belongs to our socket, so the kernel
// removes it however this process ends (Linux 5.12). Where there is no
// nf_tables, iptables(8) does it, until the destructor. Hosts that refuse to
// forward by default (Docker's iptables policy) get two rules that let pass
// what enters or leaves by interfaces named `interfaces`*.
class Nat {
 public:
  Nat(const Subnet& block, const std::string& interfaces);

 private:
  std::unique_ptr<NetlinkSocket> owner_;
  IptablesRules rules_;
};

}  // namespace cbuild::runtime
