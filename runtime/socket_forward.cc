#include "runtime/socket_forward.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/dir.h"
#include "base/error.h"
#include "base/log.h"

namespace cbuild::runtime {
namespace {

// The two ends of one connection.
struct Connection {
  Fd inside;
  Fd outside;
  bool closed = false;
};

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw SystemError(ENAMETOOLONG, "socket", path);
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Fd unix_socket() {
  return Fd(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket",
                  "AF_UNIX"));
}

// An agent's messages are small; a peer that does not read them is cut off
// rather than waited for.
bool copy_some(int from, int to) {
  char buffer[16 << 10];
  const ssize_t n = ::read(from, buffer, sizeof buffer);
  if (n <= 0) return false;
  ssize_t done = 0;
  while (done < n) {
    const ssize_t sent = ::send(
        to, buffer + done, static_cast<std::size_t>(n - done), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    done += sent;
  }
  return true;
}

void set_send_timeout(int socket) {
  const timeval limit = {10, 0};
  check(::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit),
        "setsockopt", "SO_SNDTIMEO");
}

void accept_one(int listener, const std::string& target,
                std::vector<Connection>& connections) {
  Fd inside(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!inside) return;
  try {
    Fd outside = connect_to(target);
    set_send_timeout(inside.get());
    set_send_timeout(outside.get());
    connections.push_back({std::move(inside), std::move(outside)});
  } catch (const Error& e) {
    warn(std::string("ssh agent: ") + e.what());
  }
}

}  // namespace

Fd listen_at(const std::string& path) {
  Fd fd = unix_socket();
  const sockaddr_un address = address_of(path);
  check(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address),
               sizeof address),
        "bind", path);
  check(::listen(fd.get(), 16), "listen", path);
  return fd;
}

Fd connect_to(const std::string& path) {
  // By a descriptor, as the path may be longer than an address.
  const Fd place = open_path(path, O_PATH);
  Fd fd = unix_socket();
  const sockaddr_un address =
      address_of("/proc/self/fd/" + std::to_string(place.get()));
  check(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address),
                  sizeof address),
        "connect", path);
  return fd;
}

SocketForward::SocketForward(Fd listener, std::string target)
    : listener_(std::move(listener)),
      target_(std::move(target)),
      stop_(check(::eventfd(0, EFD_CLOEXEC), "eventfd", "")),
      thread_([this] { serve(); }) {}

SocketForward::~SocketForward() {
  const std::uint64_t one = 1;
  // Cannot fail: the counter is at 0.
  [[maybe_unused]] const ssize_t n = ::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

void SocketForward::serve() {
  std::vector<Connection> connections;
  for (;;) {
    std::vector<pollfd> events = {{stop_.get(), POLLIN, 0},
                                  {listener_.get(), POLLIN, 0}};
    for (const Connection& connection : connections) {
      events.push_back({connection.inside.get(), POLLIN, 0});
      events.push_back({connection.outside.get(), POLLIN, 0});
    }
    if (::poll(events.data(), events.size(), -1) == -1) continue;
    if (events[0].revents != 0) return;
    for (std::size_t i = 0; i < connections.size(); ++i) {
      Connection& c = connections[i];
      if (events[2 + 2 * i].revents != 0)
        c.closed |= !copy_some(c.inside.get(), c.outside.get());
      if (events[3 + 2 * i].revents != 0)
        c.closed |= !copy_some(c.outside.get(), c.inside.get());
    }
    std::erase_if(connections, [](const Connection& c) { return c.closed; });
    if (events[1].revents != 0)
      accept_one(listener_.get(), target_, connections);
  }
}

}  // namespace cbuild::runtime
