#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <thread>

#include "base/error.h"
#include "runtime/netlink.h"
#include "runtime/subnet.h"
#include "sandbox.h"

namespace cbuild::runtime {
namespace {

// A TCP server on the host that says "hello" to each caller.
class Server {
 public:
  explicit Server(std::uint32_t address) {
    socket_ = Fd(
        check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket", ""));
    sockaddr_in where = {};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(address);
    socklen_t size = sizeof where;
    auto* any = reinterpret_cast<sockaddr*>(&where);
    check(::bind(socket_.get(), any, size), "bind", "");
    check(::listen(socket_.get(), 8), "listen", "");
    check(::getsockname(socket_.get(), any, &size), "getsockname", "");
    port_ = ntohs(where.sin_port);
    thread_ = std::thread([this] {
      for (;;) {
        const Fd caller(::accept(socket_.get(), nullptr, nullptr));
        if (!caller) return;
        [[maybe_unused]] const ssize_t n = ::write(caller.get(), "hello\n", 6);
      }
    });
  }
  ~Server() {
    ::shutdown(socket_.get(), SHUT_RDWR);
    thread_.join();
  }
  std::string port() const { return std::to_string(port_); }

 private:
  Fd socket_;
  int port_ = 0;
  std::thread thread_;
};

std::vector<std::string> our_interfaces() {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator("/sys/class/net")) {
    const std::string name = entry.path().filename();
    if (name.starts_with("cb") && name.find('-') != std::string::npos)
      names.push_back(name);
  }
  return names;
}

}  // namespace

TEST_CASE("network: none has a loopback that is up and nothing else",
          "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const Output output = sandbox.run(
      "ls /sys/class/net | grep -vE '^(tunl|sit|gre|ip6|erspan|ip_vti)'; "
      "cat /sys/class/net/lo/flags");
  CHECK(output.out == "lo\n0x9\n");
}

TEST_CASE("network: none is used again unless a connection lingers",
          "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const std::string name = "readlink /proc/self/ns/net";
  const std::string first = sandbox.run(name).out;
  CHECK(sandbox.run(name).out == first);
  RunSpec insecure = sandbox.spec(name);
  insecure.insecure = true;
  CHECK(sandbox.run(insecure).out == first);
  const std::string second = sandbox.run(name).out;
  CHECK(second != first);
  // The server closes first, so its port stays in use for a minute.
  const std::string serve =
      "(echo x | busybox nc -l -p 80 -w 1 >/dev/null) & "
      "until busybox nc -w 1 127.0.0.1 80 >/dev/null 2>&1 </dev/null; do :; "
      "done; wait; grep '^TCP:' /proc/net/sockstat";
  CHECK_THAT(sandbox.run(serve).out, Catch::Contains("tw 1"));
  CHECK(sandbox.run(name).out != second);
}

TEST_CASE("network: host has the host's interfaces", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  Server server(INADDR_LOOPBACK);
  RunSpec spec = sandbox.spec("busybox nc 127.0.0.1 " + server.port());
  spec.network = NetworkMode::host;
  CHECK(sandbox.run(spec).out == "hello\n");
}

TEST_CASE("network: egress reaches the host but not its loopback",
          "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  Server everywhere(INADDR_ANY);
  Server loopback(INADDR_LOOPBACK);
  // The default route's gateway is the host's end of the pair.
  RunSpec spec = sandbox.spec(
      "gw=$(busybox ip route | awk '/^default/{print $3}'); "
      "test -n \"$gw\" || echo no gateway; "
      "busybox nc $gw " +
      everywhere.port() +
      "; "
      "busybox nc 127.0.0.1 " +
      loopback.port() +
      " 2>/dev/null || echo no; "
      "busybox nc $gw " +
      loopback.port() + " 2>/dev/null || echo no");
  spec.network = NetworkMode::egress;
  const Output output = sandbox.run(spec);
  if (output.out.find("no gateway") != std::string::npos) {
    WARN("SKIPPED: no network with egress can be made here");
    return;
  }
  CHECK(output.out == "hello\nno\nno\n");
}

TEST_CASE("network: host-gateway is the host, by its name", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  Server everywhere(INADDR_ANY);
  for (const NetworkMode mode : {NetworkMode::egress, NetworkMode::host}) {
    RunSpec spec =
        sandbox.spec("busybox nc host.internal " + everywhere.port());
    spec.network = mode;
    spec.extra_hosts = {{"host.internal", kHostGateway}};
    CHECK(sandbox.run(spec).out == "hello\n");
  }
  RunSpec alone = sandbox.spec("grep -c host.internal /etc/hosts");
  alone.extra_hosts = {{"host.internal", kHostGateway}};
  CHECK(sandbox.run(alone).out == "0\n");
}

// Names in the abstract namespace need no path, only the network namespace.
TEST_CASE("network: abstract sockets of the host are not there", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const std::string name = "cbuild-test-" + std::to_string(::getpid());
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, name.size());
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address),
                 static_cast<socklen_t>(sizeof(sa_family_t) + 1 +
                                        name.size())) == 0);
  const std::string look = "grep -c " + name + " /proc/net/unix";
  for (const NetworkMode mode : {NetworkMode::none, NetworkMode::egress}) {
    RunSpec spec = sandbox.spec(look);
    spec.network = mode;
    CHECK(sandbox.run(spec).out == "0\n");
  }
  RunSpec shared = sandbox.spec(look);
  shared.network = NetworkMode::host;
  CHECK(sandbox.run(shared).out == "1\n");
}

TEST_CASE("network: egress is pooled, and gone after the runner", "[runtime]") {
  NEED_SANDBOX();
  // Those of runners before may be going still.
  const std::vector<std::string> before = our_interfaces();
  const auto left = [&before] {
    std::vector<std::string> names = our_interfaces();
    std::erase_if(names, [&](const std::string& name) {
      return std::find(before.begin(), before.end(), name) != before.end();
    });
    return names;
  };
  {
    Sandbox sandbox;
    std::string addresses;
    for (int i = 0; i < 3; ++i) {
      RunSpec spec = sandbox.spec(
          "busybox ip -4 addr show dev eth0 2>&1 | awk '/inet/{print $2}'");
      spec.network = NetworkMode::egress;
      const std::string address = sandbox.run(spec).out;
      if (i > 0) CHECK(address == addresses);
      addresses = address;
    }
  }
  // The kernel takes namespaces down in its own time.
  for (int i = 0; i < 100 && !left().empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(left() == std::vector<std::string>());
}

TEST_CASE("network: several at once have addresses of their own", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  constexpr std::size_t count = 4;
  std::vector<RunSpec> specs;
  for (std::size_t i = 0; i < count; ++i) {
    specs.push_back(sandbox.spec(
        "busybox ip -4 addr show dev eth0 2>&1 | awk '/inet/{print $2}'; "
        "sleep 0.3"));
    specs.back().network = NetworkMode::egress;
  }
  std::vector<std::string> addresses(count);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i)
    threads.emplace_back([&, i] { addresses[i] = sandbox.run(specs[i]).out; });
  for (std::thread& thread : threads) thread.join();
  if (addresses[0].find("/30") == std::string::npos) {
    WARN("SKIPPED: no network with egress can be made here");
    return;
  }
  std::sort(addresses.begin(), addresses.end());
  CHECK(std::unique(addresses.begin(), addresses.end()) == addresses.end());
}

TEST_CASE("subnets: overlap", "[runtime]") {
  const Subnet block{0x0ad90300, 24};  // 10.217.3.0/24
  CHECK(block.text() == "10.217.3.0/24");
  CHECK(block.overlaps({0x0a000000, 8}));
  CHECK(block.overlaps({0x0ad90307, 32}));
  CHECK_FALSE(block.overlaps({0x0ad90400, 24}));
  CHECK_FALSE(block.overlaps({0xc0a80000, 16}));
}

TEST_CASE("subnets: a lease keeps others out and avoids routes", "[runtime]") {
  HostRoutes routes;
  routes.taken = {{0x0ad90000, 16}, {0xac1c0000, 24}};
  const BlockLease first = lease_block(routes);
  const BlockLease second = lease_block(routes);
  CHECK(first.block.text() != second.block.text());
  for (const Subnet& taken : routes.taken) {
    CHECK_FALSE(taken.overlaps(first.block));
    CHECK_FALSE(taken.overlaps(second.block));
  }
  routes.taken = {{0, 0}};
  CHECK_THROWS_WITH(lease_block(routes), Catch::Contains("in use"));
}

TEST_CASE("netlink: attributes are padded and nested", "[runtime]") {
  const std::uint32_t body = 7;
  NetlinkMessage message(16, 1, body);
  message.add_string(1, "ab").open(2).add(3, std::uint16_t{4}).close();
  const std::string bytes = message.bytes(9);
  CHECK(bytes.size() == 16 + 4 + 8 + 4 + 8);
  const std::string_view attributes = std::string_view(bytes).substr(20);
  CHECK(find_attribute(attributes, 1) == std::string_view("ab\0", 3));
  CHECK(find_attribute(find_attribute(attributes, 2), 3) ==
        std::string_view("\x04\0", 2));
  CHECK(find_attribute(attributes, 9).empty());
}

TEST_CASE("netlink: what the kernel refuses is thrown", "[runtime]") {
  NetlinkSocket socket(NETLINK_ROUTE);
  const std::uint32_t nothing[4] = {};
  CHECK_THROWS_AS(
      socket.request(NetlinkMessage(0xfff, NLM_F_ACK, nothing), "nonsense"),
      SystemError);
}

}  // namespace cbuild::runtime
