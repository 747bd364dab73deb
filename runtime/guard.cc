#include "runtime/guard.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <mutex>

#include "base/error.h"

namespace cbuild::runtime {
namespace {

constexpr int kSlots = 4096;
constexpr int kFree = -2;   // nobody's
constexpr int kEmpty = -1;  // claimed, holds no process
constexpr std::size_t kStackSize = 64 << 10;

// Sanitizers keep notes on memory that a second process would spoil.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kShareMemory = 0;
#else
constexpr int kShareMemory = CLONE_VM;
#endif

}  // namespace

// In a mapping that a copy of our memory shares as well.
struct Guard::Table {
  int watched;  // pidfd of cbuild
  int processes[kSlots];
};

// Runs as the guard. Without glibc's wrappers where they could fail: errno is
// that of the thread which started us.
int Guard::wait_and_kill(void* opaque) noexcept {
  auto* table = static_cast<Table*>(opaque);
  ::syscall(SYS_setsid);
  ::prctl(PR_SET_NAME, "cbuild-guard");
  ::syscall(SYS_dup3, table->watched, 0, 0);
  ::syscall(SYS_close_range, 1u, ~0u, 0u);
  pollfd watched = {0, POLLIN, 0};
  while (::syscall(SYS_ppoll, &watched, 1, nullptr, nullptr, 0) != 1) {
  }
  for (int& slot : table->processes) {
    const int pid = std::atomic_ref(slot).load();
    if (pid > 0 && ::syscall(SYS_getsid, pid) == pid)
      ::syscall(SYS_kill, pid, SIGKILL);
  }
  ::syscall(SYS_exit, 0);
  return 0;
}

Guard::Guard()
    : stack_(new char[kStackSize]),
      self_(check(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)),
                  "pidfd_open", "")),
      owner_(::getpid()) {
  void* const memory = ::mmap(nullptr, sizeof(Table), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw_system_error("mmap", "guard");
  table_ = new (memory) Table{self_.get(), {}};
  for (int& slot : table_->processes) slot = kFree;
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // the guard keeps this mask
  process_ =
      ::clone(wait_and_kill, stack_.get() + kStackSize, kShareMemory, table_);
  const int code = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (process_ == -1) throw SystemError(code, "clone", "guard");
}

Guard::~Guard() {
  if (::getpid() == owner_) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, __WALL);
  }
  ::munmap(table_, sizeof(Table));
}

Guard& Guard::of_process() {
  static std::mutex mutex;
  static std::unique_ptr<Guard> guard;
  const std::lock_guard lock(mutex);
  if (!guard || guard->owner_ != ::getpid()) guard.reset(new Guard);
  return *guard;
}

Guard::Slot Guard::claim() {
  for (int& slot : table_->processes) {
    int expected = kFree;
    if (std::atomic_ref(slot).compare_exchange_strong(expected, kEmpty))
      return Slot(&slot);
  }
  throw Error("too many processes at once");
}

Guard::Slot& Guard::Slot::operator=(Slot&& other) noexcept {
  clear();
  place_ = std::exchange(other.place_, nullptr);
  return *this;
}

void Guard::Slot::clear() noexcept {
  if (place_ != nullptr) std::atomic_ref(*place_).store(kFree);
  place_ = nullptr;
}

}  // namespace cbuild::runtime
