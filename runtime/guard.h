// Kills what cbuild started when cbuild itself is killed.
//
// PR_SET_PDEATHSIG would do, but the kernel clears it when a process executes a
// setuid program or changes its credentials (prctl(2)). So a tiny process, in a
// session of its own, waits for the end of cbuild and then sends SIGKILL to
// every process in a table. It shares our memory (clone(2) with CLONE_VM), so
// starting it costs some 50 microseconds, once, and an entry costs nothing. It
// has none of our descriptors: locks go with cbuild, not a moment later.
//
// Only leaders of a session are killed, so that a number which was given to
// another process meanwhile does no harm.
#pragma once

#include <atomic>
#include <memory>

#include "base/fd.h"

namespace cbuild::runtime {

class Guard {
 public:
  // An entry of the table, empty until a process's number is written to it.
  // Clear it (or let it go) once the process was waited for. Move-only.
  class Slot {
   public:
    Slot() = default;
    explicit Slot(int* place) noexcept : place_(place) {}
    Slot(Slot&& other) noexcept
        : place_(std::exchange(other.place_, nullptr)) {}
    Slot& operator=(Slot&& other) noexcept;
    ~Slot() { clear(); }

    // For clone_args::parent_tid: the kernel fills it in before the child runs,
    // so that there is no moment at which nobody would kill the child.
    int* place() const noexcept { return place_; }
    void set(int pid) noexcept { std::atomic_ref(*place_).store(pid); }
    void clear() noexcept;

   private:
    int* place_ = nullptr;
  };

  // The guard of this process, started by the first call; a forked copy of a
  // process gets its own. Any thread.
  static Guard& of_process();

  // Throws Error when more than 4096 processes are guarded.
  Slot claim();

  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  struct Table;
  Guard();
  static int wait_and_kill(void* table) noexcept;

  Table* table_;
  std::unique_ptr<char[]> stack_;
  Fd self_;      // pidfd of cbuild
  int process_;  // the guard's pid
  int owner_;    // cbuild's
};

}  // namespace cbuild::runtime
