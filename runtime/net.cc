#include "runtime/net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "base/dir.h"
#include "base/error.h"
#include "base/log.h"
#include "runtime/nat.h"
#include "runtime/netlink.h"
#include "runtime/subnet.h"
#include "runtime/user_network.h"

namespace cbuild::runtime {

// A namespace with a way out (egress), or without (none).
struct PooledNetwork {
  NetworkMode mode = NetworkMode::none;
  Fd ns;
  Fd sockets;  // its /proc/net/sockstat
  // Egress by a veth pair: the place of its /30 in the block. The pair goes
  // with the namespace, when the last descriptor and process in it are gone.
  std::optional<unsigned> slot;
  std::optional<UserNetwork> user;  // egress without a pair
  std::string host_address;
  bool exclusive = false;
};

namespace {

constexpr unsigned kSlots = 64;  // of four addresses in a block of 256
constexpr std::uint16_t kCreate = NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;

// net, gateway (host end), container end, broadcast
std::uint32_t gateway_address(const Subnet& block, unsigned slot) {
  return block.address + slot * 4 + 1;
}
std::uint32_t container_address(const Subnet& block, unsigned slot) {
  return block.address + slot * 4 + 2;
}

ifinfomsg link_up(int index) {
  ifinfomsg link = {};
  link.ifi_family = AF_UNSPEC;
  link.ifi_index = index;
  link.ifi_flags = IFF_UP;
  link.ifi_change = IFF_UP;
  return link;
}

int index_of(const std::string& name) {
  const unsigned index = ::if_nametoindex(name.c_str());
  if (index == 0) throw_system_error("if_nametoindex", name);
  return static_cast<int>(index);
}

void set_up(NetlinkSocket& socket, int index) {
  socket.request(NetlinkMessage(RTM_NEWLINK, NLM_F_ACK, link_up(index)),
                 "bring up interface");
}

void add_address(NetlinkSocket& socket, int index, std::uint32_t address) {
  ifaddrmsg body = {};
  body.ifa_family = AF_INET;
  body.ifa_prefixlen = 30;
  body.ifa_index = static_cast<unsigned>(index);
  NetlinkMessage message(RTM_NEWADDR, kCreate, body);
  message.add(IFA_LOCAL, htonl(address)).add(IFA_ADDRESS, htonl(address));
  socket.request(message, "add address");
}

void add_default_route(NetlinkSocket& socket, std::uint32_t gateway) {
  rtmsg body = {};
  body.rtm_family = AF_INET;
  body.rtm_table = RT_TABLE_MAIN;
  body.rtm_protocol = RTPROT_STATIC;
  body.rtm_scope = RT_SCOPE_UNIVERSE;
  body.rtm_type = RTN_UNICAST;
  NetlinkMessage message(RTM_NEWROUTE, kCreate, body);
  message.add(RTA_GATEWAY, htonl(gateway));
  socket.request(message, "add default route");
}

// eth0 here and `host_name` in the namespace `host`.
void add_veth(NetlinkSocket& socket, int host, const std::string& host_name,
              unsigned mtu) {
  const ifinfomsg none = {};
  NetlinkMessage message(RTM_NEWLINK, kCreate, none);
  message.add_string(IFLA_IFNAME, "eth0")
      .add(IFLA_MTU, mtu)
      .open(IFLA_LINKINFO)
      .add_string(IFLA_INFO_KIND, "veth")
      .open(IFLA_INFO_DATA)
      .open(VETH_INFO_PEER, none)
      .add_string(IFLA_IFNAME, host_name)
      .add(IFLA_MTU, mtu)
      .add(IFLA_NET_NS_FD, host)
      .close()
      .close()
      .close();
  socket.request(message, "make veth pair");
}

// Runs `body` on a thread in a new network namespace, which `network` gets.
template <typename Body>
void in_new_namespace(PooledNetwork& network, Body&& body) {
  std::exception_ptr failure;
  std::thread([&] {
    try {
      check(::unshare(CLONE_NEWNET), "unshare", "network namespace");
      body();
      network.ns = open_path("/proc/thread-self/ns/net", O_RDONLY);
      network.sockets = open_path("/proc/thread-self/net/sockstat", O_RDONLY);
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
}

// True where the next command might find a port in use that one before it had:
// a closed connection stays for a minute (TIME_WAIT).
bool has_leftovers(const PooledNetwork& network) {
  char text[1024];
  const ssize_t n = ::pread(network.sockets.get(), text, sizeof text, 0);
  if (n <= 0) return true;
  const std::string_view stat(text, static_cast<std::size_t>(n));
  return stat.find("TCP: inuse 0 orphan 0 tw 0 ") == std::string_view::npos;
}

// What all networks of the process share; made by the first that needs it.
struct Uplink {
  Uplink()
      : routes(read_host_routes()),
        lease(lease_block(routes)),
        interfaces("cb" + random_hex(3) + "-"),
        nat(lease.block, interfaces),
        host(open_path("/proc/thread-self/ns/net", O_RDONLY)) {}

  // In `network.slot`.
  void make_namespace(PooledNetwork& network, unsigned serial) const;

  const HostRoutes routes;
  const BlockLease lease;
  // The names of ours start with it. Random: a build that has just ended may
  // still have its own, the kernel removes them in its own time.
  const std::string interfaces;
  const Nat nat;
  const Fd host;
};

void Uplink::make_namespace(PooledNetwork& network, unsigned serial) const {
  const std::string name = interfaces + std::to_string(serial);
  const std::uint32_t gateway = gateway_address(lease.block, *network.slot);
  network.host_address = Subnet{gateway, 32}.address_text();
  in_new_namespace(network, [&] {
    NetlinkSocket inside(NETLINK_ROUTE);
    add_veth(inside, host.get(), name, routes.mtu);
    const int eth0 = index_of("eth0");
    add_address(inside, eth0, container_address(lease.block, *network.slot));
    set_up(inside, index_of("lo"));
    set_up(inside, eth0);
    add_default_route(inside, gateway);
  });
  NetlinkSocket outside(NETLINK_ROUTE);
  const int end = index_of(name);
  add_address(outside, end, gateway);
  set_up(outside, end);
}

std::unique_ptr<PooledNetwork> make_isolated() {
  auto network = std::make_unique<PooledNetwork>();
  in_new_namespace(*network, [] {
    NetlinkSocket inside(NETLINK_ROUTE);
    set_up(inside, index_of("lo"));
  });
  return network;
}

std::unique_ptr<PooledNetwork> make_for_user() {
  std::unique_ptr<PooledNetwork> network = make_isolated();
  network->mode = NetworkMode::egress;
  network->user.emplace(network->ns.get());
  network->host_address = outward_address();
  return network;
}

}  // namespace

struct NetworkPool::State {
  // nullptr where there is none to be had.
  std::unique_ptr<PooledNetwork> take(NetworkMode mode);
  std::unique_ptr<PooledNetwork> take_egress();
  std::unique_ptr<PooledNetwork> make_egress();
  std::unique_ptr<PooledNetwork> make_veth();

  std::mutex mutex;  // guards everything below
  std::optional<Uplink> uplink;
  std::vector<std::unique_ptr<PooledNetwork>> free;
  std::set<unsigned> slots_in_use;
  unsigned made = 0;  // numbers interfaces; names are not used twice
  std::string why_no_veth;
  bool given_up = false;
};

std::unique_ptr<PooledNetwork> NetworkPool::State::take(NetworkMode mode) {
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = std::find_if(
      free.begin(), free.end(), [&](const auto& n) { return n->mode == mode; });
  if (found == free.end())
    return mode == NetworkMode::none ? make_isolated() : take_egress();
  std::unique_ptr<PooledNetwork> network = std::move(*found);
  free.erase(found);
  return network;
}

std::unique_ptr<PooledNetwork> NetworkPool::State::take_egress() {
  if (given_up) return nullptr;
  try {
    return make_egress();
  } catch (const Error& e) {
    given_up = true;
    warn(std::string("RUN uses the host's network: no network of its own (") +
         e.what() + "); see 'cbuild doctor'");
    return nullptr;
  }
}

std::unique_ptr<PooledNetwork> NetworkPool::State::make_egress() {
  if (why_no_veth.empty()) try {
      return make_veth();
    } catch (const Error& e) {
      why_no_veth = e.what();
    }
  try {
    return make_for_user();
  } catch (const Error& e) {
    throw Error(why_no_veth + "; " + e.what());
  }
}

std::unique_ptr<PooledNetwork> NetworkPool::State::make_veth() {
  if (!uplink) uplink.emplace();
  unsigned slot = 0;
  while (slots_in_use.count(slot) > 0) ++slot;
  if (slot == kSlots) throw Error("too many networks in use");
  auto network = std::make_unique<PooledNetwork>();
  network->mode = NetworkMode::egress;
  network->slot = slot;
  uplink->make_namespace(*network, made++);
  slots_in_use.insert(slot);
  return network;
}

NetworkPool::NetworkPool() : state_(std::make_unique<State>()) {}
NetworkPool::~NetworkPool() = default;

NetworkLease NetworkPool::acquire(NetworkMode mode, bool exclusive) {
  if (mode == NetworkMode::host) return NetworkLease(mode);
  std::unique_ptr<PooledNetwork> network = state_->take(mode);
  if (!network) return NetworkLease(NetworkMode::host);
  network->exclusive = exclusive;
  return NetworkLease(*this, std::move(network));
}

void NetworkPool::release(std::unique_ptr<PooledNetwork> network) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (!network->exclusive && !has_leftovers(*network))
    state_->free.push_back(std::move(network));
  else if (network->slot)
    state_->slots_in_use.erase(*network->slot);
}

NetworkLease::NetworkLease(NetworkMode mode) : mode_(mode) {}

NetworkLease::NetworkLease(NetworkPool& pool,
                           std::unique_ptr<PooledNetwork> network)
    : mode_(network->mode), pool_(&pool), network_(std::move(network)) {}

NetworkLease::NetworkLease(NetworkLease&&) noexcept = default;

NetworkLease::~NetworkLease() {
  if (network_) pool_->release(std::move(network_));
}

std::string NetworkLease::host_address() const {
  if (network_) return network_->host_address;
  return mode_ == NetworkMode::host ? "127.0.0.1" : "";
}

std::string NetworkLease::name_server() const {
  return network_ && network_->user ? UserNetwork::kNameServer : "";
}

std::string way_out_of_networks() {
  try {
    const auto network = NetworkPool::State().make_egress();
    return network->user ? network->user->program() : "veth";
  } catch (const Error&) {
    return "";  // each part of the reason is a finding of its own
  }
}

int NetworkLease::fd() const { return network_ ? network_->ns.get() : -1; }

}  // namespace cbuild::runtime
