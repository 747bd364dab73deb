// Runs a command so that it can be ended with everything it started, where
// there is no pid namespace whose end does that.
//
//   cbuild -- keeper -- the command -- what it starts
//
// The keeper is the subreaper (prctl(2)) of all below it: whose parent ends
// becomes its child, whatever session it has put itself into. When the command
// has ended, when the KeptProcess goes or cbuild is killed, it kills its
// children until there are none. It needs /proc/PID/task/PID/children.
//
// A command of the same user can kill the keeper by its number, but where
// Landlock hinders it (confinement.h).
#pragma once

#include "base/fd.h"
#include "runtime/child.h"
#include "runtime/runner.h"

namespace cbuild::runtime {

// Whether the kernel tells the children of a process (CONFIG_PROC_CHILDREN).
bool keeper_possible();

class KeptProcess {
 public:
  // Forks the keeper, which starts child_main(plan).
  explicit KeptProcess(ChildPlan& plan);
  KeptProcess(const KeptProcess&) = delete;
  KeptProcess& operator=(const KeptProcess&) = delete;
  ~KeptProcess();

  // Readable once all have ended.
  int pidfd() const { return pidfd_.get(); }

  // Waits for that. Code and signal of the command are set, nothing else.
  // Throws Error where the keeper was killed.
  ExitStatus wait();

 private:
  void reap();

  Fd pidfd_;
  Fd alive_;   // the keeper sees its end
  Fd status_;  // the command's wait status comes here
};

}  // namespace cbuild::runtime
