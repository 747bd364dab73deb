// A child process by its pidfd, and the pump for what it prints.
#pragma once

#include <atomic>
#include <functional>

#include "base/fd.h"
#include "runtime/child.h"
#include "runtime/guard.h"
#include "runtime/runner.h"

namespace cbuild::runtime {

struct Pipe {
  Fd read;   // non-blocking
  Fd write;  // blocking: programs expect that of their output
};

// Both ends close-on-exec.
Pipe make_pipe();

// A process that does not outlive this object: the destructor kills it and
// waits; if cbuild itself is killed, the Guard does. As it is process 1 of its
// pid namespace, all others die with it.
class ChildProcess {
 public:
  // clone3(2) with the CLONE_NEW* flags given, then child_main(plan).
  // Throws IsolationError where the kernel does not allow these.
  ChildProcess(ChildPlan& plan, std::uint64_t namespaces);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  int pidfd() const { return pidfd_.get(); }
  void kill() noexcept;

  // Waits for the end. Code and signal are set, nothing else.
  ExitStatus wait();

 private:
  Fd pidfd_;
  Guard::Slot guarded_;
  bool waited_ = false;
};

// Copies what arrives on `out` and `err` to `output` until the process has
// ended and both are drained. Throws Interrupted soon after `*stop` turns true
// (`stop` may be null), and what `output` throws; the process still runs then.
void pump_output(int pidfd, int out, int err, const OutputSink& output,
                 const std::atomic<bool>* stop);

}  // namespace cbuild::runtime
