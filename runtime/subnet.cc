#include "runtime/subnet.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/error.h"
#include "runtime/netlink.h"

namespace cbuild::runtime {
namespace {

constexpr std::uint32_t address(unsigned a, unsigned b, unsigned c) {
  return a << 24 | b << 16 | c << 8;
}

std::uint32_t number_in(std::string_view attribute) {
  std::uint32_t value = 0;
  std::memcpy(&value, attribute.data(),
              std::min(attribute.size(), sizeof value));
  return value;
}

unsigned mtu_of(std::uint32_t interface_index) {
  ifreq request = {};
  if (::if_indextoname(interface_index, request.ifr_name) == nullptr)
    return 1500;
  const Fd fd(
      check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket", "mtu"));
  check(::ioctl(fd.get(), SIOCGIFMTU, &request), "mtu", request.ifr_name);
  return static_cast<unsigned>(request.ifr_mtu);
}

}  // namespace

bool Subnet::overlaps(const Subnet& other) const {
  const std::uint32_t common = mask() & other.mask();
  return (address & common) == (other.address & common);
}

std::string Subnet::address_text() const {
  const in_addr raw = {htonl(address)};
  char buffer[INET_ADDRSTRLEN];
  return ::inet_ntop(AF_INET, &raw, buffer, sizeof buffer);
}

std::string Subnet::text() const {
  return address_text() + "/" + std::to_string(length);
}

HostRoutes read_host_routes() {
  HostRoutes routes;
  NetlinkSocket socket(NETLINK_ROUTE);
  rtmsg filter = {};
  filter.rtm_family = AF_INET;
  for (const std::string& reply : socket.dump(
           NetlinkMessage(RTM_GETROUTE, NLM_F_DUMP, filter), "list routes")) {
    rtmsg route;
    std::memcpy(&route, reply.data(), sizeof route);
    const std::string_view attributes =
        std::string_view(reply).substr(NLMSG_ALIGN(sizeof route));
    if (route.rtm_dst_len != 0) {
      const std::uint32_t to =
          ntohl(number_in(find_attribute(attributes, RTA_DST)));
      routes.taken.push_back({to, route.rtm_dst_len});
    } else if (route.rtm_table == RT_TABLE_MAIN) {
      routes.mtu = mtu_of(number_in(find_attribute(attributes, RTA_OIF)));
    }
  }
  return routes;
}

std::vector<Subnet> candidate_blocks() {
  std::vector<Subnet> blocks;
  for (const std::uint32_t base :
       {address(10, 217, 0), address(172, 28, 0), address(198, 18, 0)})
    for (unsigned i = 0; i < 256; ++i) blocks.push_back({base + (i << 8), 24});
  return blocks;
}

BlockLease lease_block(const HostRoutes& routes) {
  for (const Subnet& block : candidate_blocks()) {
    if (std::any_of(routes.taken.begin(), routes.taken.end(),
                    [&](const Subnet& t) { return t.overlaps(block); }))
      continue;
    Fd lock(check(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket",
                  "network lease"));
    // The leading NUL makes the name abstract.
    const std::string name = "cbuild-network-" + block.text();
    sockaddr_un where = {};
    where.sun_family = AF_UNIX;
    std::memcpy(where.sun_path + 1, name.data(), name.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) +
                                             1 + name.size());
    if (::bind(lock.get(), reinterpret_cast<sockaddr*>(&where), size) == 0)
      return {block, std::move(lock)};
    if (errno != EADDRINUSE) throw_system_error("bind", name);
  }
  throw Error("every address block for containers is in use");
}

}  // namespace cbuild::runtime
