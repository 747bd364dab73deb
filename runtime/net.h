// Network namespaces for RUN.
//
//   host    the host's: nothing is made
//   none    made by the clone, with a loopback interface and nothing else
//   egress  one from a pool, each with a veth pair to the host and NAT there
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

 private:
  NetworkMode mode_;
  NetworkPool* pool_ = nullptr;
  std::unique_ptr<PooledNetwork> network_;
};

// The networks with egress of one process. Nothing is made before the first
// acquire(egress); the destructor takes all down. Any thread.
class NetworkPool {
 public:
  NetworkPool();
  ~NetworkPool();
  NetworkPool(const NetworkPool&) = delete;
  NetworkPool& operator=(const NetworkPool&) = delete;

  // `exclusive`: the command may change the namespace (--security=insecure),
  // so nobody gets it after it. Where egress cannot be had, says so once and
  // gives the host's.
  NetworkLease acquire(NetworkMode mode, bool exclusive);

 private:
  friend class NetworkLease;
  void release(std::unique_ptr<PooledNetwork> network);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cbuild::runtime
