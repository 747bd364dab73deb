#include "runtime/process.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <vector>

#include "base/error.h"

namespace cbuild::runtime {
namespace {

constexpr int kStopInterval = 50;  // milliseconds

// No handler of ours may run in the child, which has not reset them yet.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_;
};

// The child shares our memory until it execs, as with vfork(2), and this
// thread sleeps until then. Copying the page tables instead takes 15 ms with
// 200 MiB in use, and a fault for each page that another thread then writes.
// Sanitizers keep notes on the stack that a child in the same memory would
// spoil, so they get the copy.
#if (defined(__x86_64__) || defined(__aarch64__)) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kShareMemory = CLONE_VM | CLONE_VFORK;
#else
constexpr std::uint64_t kShareMemory = 0;
#endif

// Not syscall(2): the child runs on our stack and would overwrite the return
// address that the parent still needs.
[[gnu::always_inline]] inline long clone3(clone_args& args) {
#if defined(__x86_64__)
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "0"(SYS_clone3), "D"(&args), "S"(sizeof args)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long number asm("x8") = SYS_clone3;
  register long first asm("x0") = reinterpret_cast<long>(&args);
  register long second asm("x1") = sizeof args;
  asm volatile("svc #0" : "+r"(first) : "r"(number), "r"(second) : "memory");
  return first;
#else
  const long result = ::syscall(SYS_clone3, &args, sizeof args);
  return result == -1 ? -errno : result;
#endif
}

// The pidfd, or the negative errno. Its frame is below all that the parent
// still needs, and holds nothing that the child changes.
[[gnu::noinline]] long clone_child(ChildPlan& plan, clone_args& args) {
  const long pid = clone3(args);
  if (pid == 0) child_main(plan);
  return pid;
}

// False at the end of the file.
bool copy_some(int from, Stream stream, const OutputSink& output,
               std::vector<char>& buffer) {
  const ssize_t n = ::read(from, buffer.data(), buffer.size());
  if (n == -1) {
    if (errno == EAGAIN || errno == EINTR) return true;
    throw_system_error("read", "output of the command");
  }
  if (n > 0) output(stream, {buffer.data(), static_cast<std::size_t>(n)});
  return n > 0;
}

}  // namespace

Pipe make_output_pipe() {
  Pipe pipe = make_pipe();
  check(::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK), "fcntl", "O_NONBLOCK");
  return pipe;
}

ChildProcess::ChildProcess(ChildPlan& plan, std::uint64_t namespaces)
    : guarded_(Guard::of_process().claim()) {
  int pidfd = -1;
  clone_args args = {};
  args.flags = namespaces | CLONE_PIDFD | CLONE_PARENT_SETTID | kShareMemory;
  args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  args.parent_tid = reinterpret_cast<std::uint64_t>(guarded_.place());
  args.exit_signal = SIGCHLD;
  if (plan.cgroup != -1) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<std::uint64_t>(plan.cgroup);
  }
  const long result = [&] {
    const BlockedSignals blocked;
    return clone_child(plan, args);
  }();
  if (result > 0) {
    pidfd_ = Fd(pidfd);
    // A child that switched users has taken it from the memory we share.
    ::prctl(PR_SET_DUMPABLE, 1);
    return;
  }
  const int code = static_cast<int>(-result);
  if (code == EPERM || code == EINVAL || code == ENOSYS || code == ENOSPC)
    throw IsolationError(
        SystemError(code, "cannot make namespaces: clone3", "").what());
  throw SystemError(code, "clone3", "");
}

ChildProcess::~ChildProcess() {
  if (waited_ || !pidfd_) return;
  kill();
  siginfo_t info;
  while (::waitid(static_cast<idtype_t>(P_PIDFD),
                  static_cast<id_t>(pidfd_.get()), &info,
                  WEXITED | __WALL) == -1 &&
         errno == EINTR) {
  }
}

void ChildProcess::kill() noexcept {
  ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
}

ExitStatus ChildProcess::wait() {
  siginfo_t info = {};
  while (::waitid(static_cast<idtype_t>(P_PIDFD),
                  static_cast<id_t>(pidfd_.get()), &info,
                  WEXITED | __WALL) == -1) {
    if (errno != EINTR) throw_system_error("waitid", "the command");
  }
  waited_ = true;
  guarded_.clear();
  ExitStatus status;
  if (info.si_code == CLD_EXITED) {
    status.code = info.si_status;
  } else {
    status.signal = info.si_status;
    status.code = 128 + info.si_status;
  }
  return status;
}

void pump_output(int pidfd, int out, int err, const OutputSink& output,
                 const std::atomic<bool>* stop) {
  std::vector<char> buffer(64 << 10);
  pollfd events[] = {{out, POLLIN, 0}, {err, POLLIN, 0}, {pidfd, POLLIN, 0}};
  bool ended = false;
  while (!ended || events[0].fd >= 0 || events[1].fd >= 0) {
    if (stop && *stop) throw Interrupted();
    // Once it has ended, all that can write is dead: what is in the pipes is
    // all there will be, even if a descriptor was passed out of the container.
    const int timeout = ended ? 0 : stop ? kStopInterval : -1;
    const int ready = ::poll(events, 3, timeout);
    if (ready == -1 && errno != EINTR) throw_system_error("poll", "");
    if (ready == 0 && ended) return;
    if (ready <= 0) continue;
    for (int i = 0; i < 2; ++i)
      if (events[i].revents != 0 &&
          !copy_some(events[i].fd, i == 0 ? Stream::out : Stream::err, output,
                     buffer))
        events[i].fd = -1;
    if (events[2].revents != 0) {
      ended = true;
      events[2].fd = -1;
    }
  }
}

}  // namespace cbuild::runtime
