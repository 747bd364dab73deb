// Network namespaces for RUN.
//
//   host    the host's: nothing is made
//   none    one with a loopback interface and nothing else
//   egress  one with a veth pair to the host and NAT there; where that is not
//           permitted, with a program of the user's (user_network.h)
//
// Both come from a pool: the kernel takes half a millisecond to make a
// namespace and as long to take it down. Nothing of a command is left in one:
// its processes are dead, and it could change nothing but with
// --security=insecure; where closed connections linger, the namespace goes too.
#pragma once

#include <memory>

#include "base/fd.h"
#include "runtime/runner.h"

namespace cbuild::runtime {

class NetworkPool;
struct PooledNetwork;

// The network of one RUN; given back by the destructor. Move-only.
class NetworkLease {
 public:
  explicit NetworkLease(NetworkMode mode);
  NetworkLease(NetworkPool& pool, std::unique_ptr<PooledNetwork> network);
  NetworkLease(NetworkLease&&) noexcept;
  ~NetworkLease();

  // What was got: host where egress had to be given up.
  NetworkMode mode() const { return mode_; }
  // The namespace to join, or -1.
  int fd() const;
  // The host's address as seen from inside; "" where it cannot be seen.
  std::string host_address() const;
  // Who passes on what the host's own name servers would be asked, or "".
  std::string name_server() const;

 private:
  NetworkMode mode_;
  NetworkPool* pool_ = nullptr;
  std::unique_ptr<PooledNetwork> network_;
};

// The networks of one process. Nothing is made before it is asked for; the
// destructor takes all down. Any thread.
class NetworkPool {
 public:
  NetworkPool();
  ~NetworkPool();
  NetworkPool(const NetworkPool&) = delete;
  NetworkPool& operator=(const NetworkPool&) = delete;

  // `exclusive`: the command may change the namespace (--security=insecure),
  // so nobody gets it after it. Where egress cannot be had, says so once and
  // gives the host's. Throws SystemError where none cannot be made.
  NetworkLease acquire(NetworkMode mode, bool exclusive);

 private:
  friend class NetworkLease;
  friend std::string way_out_of_networks();
  void release(std::unique_ptr<PooledNetwork> network);

  struct State;
  std::unique_ptr<State> state_;
};

// How networks with egress reach the outside here, tried for real: "veth",
// "slirp4netns", "pasta", or "" where they cannot.
std::string way_out_of_networks();

}  // namespace cbuild::runtime
