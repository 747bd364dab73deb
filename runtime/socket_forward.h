// Passes connections to one Unix socket on to another.
//
// An ssh agent's socket belongs to the user who started cbuild; the command
// gets one of its own, with the owner and mode that were asked for.
#pragma once

#include <string>
#include <thread>

#include "base/fd.h"

namespace cbuild::runtime {

// A listening socket that `path` is made for. At most 107 bytes of path: use
// /proc/self/fd/N/name below a descriptor.
Fd listen_at(const std::string& path);
// Connected to what listens at `path`, of any length. Throws SystemError.
Fd connect_to(const std::string& path);

class SocketForward {
 public:
  // A thread accepts from `listener` until this object goes; connections still
  // open are closed then. One that cannot be passed on is closed at once.
  SocketForward(Fd listener, std::string target);
  ~SocketForward();
  SocketForward(const SocketForward&) = delete;
  SocketForward& operator=(const SocketForward&) = delete;

 private:
  void serve();

  Fd listener_;
  std::string target_;
  Fd stop_;  // an eventfd, readable once serve() is to end
  std::thread thread_;
};

}  // namespace cbuild::runtime
