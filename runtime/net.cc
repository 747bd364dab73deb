#include "runtime/net.h"

namespace cbuild::runtime {

struct PooledNetwork {};
struct NetworkPool::State {};

NetworkLease::NetworkLease(NetworkMode mode) : mode_(mode) {}
NetworkLease::NetworkLease(NetworkLease&&) noexcept = default;
NetworkLease::~NetworkLease() = default;
int NetworkLease::fd() const { return -1; }
NetworkPool::NetworkPool(std::string) {}
NetworkPool::~NetworkPool() = default;
NetworkLease NetworkPool::acquire(NetworkMode mode, bool) {
  return NetworkLease(mode == NetworkMode::egress ? NetworkMode::host : mode);
}

}  // namespace cbuild::runtime
