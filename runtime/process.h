// A child process by its pidfd, and the pump for what it prints.
#pragma once

#include <atomic>
#include <functional>

#include "base/pipe.h"
#include "runtime/child.h"
#include "runtime/guard.h"
#include "runtime/runner.h"

namespace cbuild::runtime {

// Its read end does not block; its write end does: programs expect that of
// their output.
Pipe make_output_pipe();

// What a command says, and what the child says before it can exec.
struct CommandPipes {
  Pipe out = make_output_pipe(), err = make_output_pipe(),
       report = make_output_pipe();

  // The read ends see the end of file once the child's copies are closed.
  void close_writes() {
    for (Pipe* pipe : {&out, &err, &report}) pipe->write.close();
  }
};

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
