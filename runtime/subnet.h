// The addresses of this process's containers: a block of 256 that no route of
// the host covers and no other cbuild on this host uses.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"

namespace cbuild::runtime {

// An IPv4 prefix; the address in host byte order.
struct Subnet {
  std::uint32_t address = 0;
  unsigned length = 0;

  std::uint32_t mask() const { return length ? ~0u << (32 - length) : 0; }
  bool overlaps(const Subnet& other) const;
  std::string address_text() const;  // "10.217.3.0"
  std::string text() const;          // "10.217.3.0/24"
};

// What the host's routing tables say, default routes left out, and the MTU of
// the interface of the default route (1500 where there is none).
struct HostRoutes {
  std::vector<Subnet> taken;
  unsigned mtu = 1500;
};
HostRoutes read_host_routes();

// The blocks to try, in order: /24 within 10.217/16, 172.28/16 and 198.18/15.
std::vector<Subnet> candidate_blocks();

// A block of our own until the descriptor closes, also by a kill: it is a name
// in the abstract socket namespace, which is one per network namespace, as
// routes are.
struct BlockLease {
  Subnet block;
  Fd lock;
};

// Throws Error where every block is taken.
BlockLease lease_block(const HostRoutes& routes);

}  // namespace cbuild::runtime
