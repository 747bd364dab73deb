// A way out for a network namespace that needs no privilege over the host's
// network: a program that carries packets between a device there and sockets of
// its own. slirp4netns(1), else pasta(1) of the package passt.
//
// The host's loopback cannot be reached through it. It is ended by the
// destructor, and where cbuild is killed by guard.h (slirp4netns also by the
// end of a pipe).
#pragma once

#include <string>

#include "base/fd.h"
#include "runtime/guard.h"

namespace cbuild::runtime {

class UserNetwork {
 public:
  // Returns once the namespace `ns` has an interface eth0 with an address and a
  // default route. Throws Error that says what each program lacked.
  explicit UserNetwork(int ns);
  ~UserNetwork();
  UserNetwork(const UserNetwork&) = delete;
  UserNetwork& operator=(const UserNetwork&) = delete;

  const std::string& program() const { return program_; }
  // Where name servers of the host's loopback are asked for their answers.
  static constexpr const char* kNameServer = "10.0.2.3";

 private:
  void start(const std::string& program, int ns);
  void end() noexcept;

  std::string program_;
  int pid_ = -1;
  Guard::Slot guarded_;
  Fd life_;  // closing it ends slirp4netns
};

// The host's address towards the outside, "" where it has none.
std::string outward_address();

}  // namespace cbuild::runtime
