#include "runtime/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "base/error.h"
#include "base/pipe.h"

namespace cbuild::runtime {
namespace {

// The keeper is a fork of a process with several threads: from there on nothing
// allocates, throws or takes a lock.

// The numbers of the children, separated by blanks, as far as they fit.
ssize_t read_children(char* text, std::size_t size) noexcept {
  char path[64];
  const int self = ::getpid();
  std::snprintf(path, sizeof path, "/proc/%d/task/%d/children", self, self);
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd == -1) return -1;
  const ssize_t n = ::read(fd, text, size - 1);
  ::close(fd);
  if (n >= 0) text[n] = '\0';
  return n;
}

// What a child leaves behind is ours a moment later, so that the next round
// finds it. A number cut off at the end of the text is none of another process:
// only the whole ones are taken.
void kill_children() noexcept {
  char text[64 << 10];
  if (read_children(text, sizeof text) <= 0) return;
  char* at = text;
  for (;;) {
    char* end = at;
    const long pid = std::strtol(at, &end, 10);
    if (end == at || *end != ' ') return;
    ::kill(static_cast<pid_t>(pid), SIGKILL);
    at = end;
  }
}

// Takes those that have ended; true where `command` is among them.
bool reap_children(pid_t command, int& command_status) noexcept {
  bool found = false;
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid != command) continue;
    command_status = status;
    found = true;
  }
  return found;
}

void end_all(pid_t command, int& command_status) noexcept {
  for (;;) {
    kill_children();
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, 0);
    if (pid == -1 && errno != EINTR) return;  // ECHILD: all are gone
    if (pid == command) command_status = status;
  }
}

// Locks and pipes of cbuild must not outlive it by us.
void close_all_but(int a, int b) noexcept {
  const unsigned low = static_cast<unsigned>(std::min(a, b));
  const unsigned high = static_cast<unsigned>(std::max(a, b));
  if (low > 0) ::syscall(SYS_close_range, 0u, low - 1, 0u);
  if (high - low > 1) ::syscall(SYS_close_range, low + 1, high - 1, 0u);
  ::syscall(SYS_close_range, high + 1, ~0u, 0u);
}

// All signals are blocked. `alive` becomes readable when cbuild is gone or
// wants an end.
[[noreturn]] void keep(ChildPlan& plan, int alive, int status_pipe) noexcept {
  ::setsid();
  ::prctl(PR_SET_NAME, "cbuild-keeper");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t command = ::fork();
  if (command == 0) child_main(plan);
  close_all_but(alive, status_pipe);
  if (command == -1) ::_exit(1);
  sigset_t child;
  ::sigemptyset(&child);
  ::sigaddset(&child, SIGCHLD);
  const int ended = ::signalfd(-1, &child, SFD_CLOEXEC);
  pollfd events[] = {{alive, POLLIN, 0}, {ended, POLLIN, 0}};
  int status = SIGKILL;
  while (!reap_children(command, status)) {
    if (::poll(events, 2, -1) == -1 && errno != EINTR) break;
    if (events[0].revents != 0) break;
    signalfd_siginfo info;
    if (events[1].revents != 0 && ::read(ended, &info, sizeof info) == -1)
      break;
  }
  end_all(command, status);
  [[maybe_unused]] const ssize_t n =
      ::write(status_pipe, &status, sizeof status);
  ::_exit(0);
}

}  // namespace

bool keeper_possible() {
  char text[64];
  return read_children(text, sizeof text) >= 0;
}

KeptProcess::KeptProcess(ChildPlan& plan) {
  Pipe alive = make_pipe(), status = make_pipe();
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(alive.write.release());
    keep(plan, alive.read.get(), status.write.get());
  }
  const int code = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid == -1) throw SystemError(code, "fork", "RUN");
  alive_ = std::move(alive.write);
  status_ = std::move(status.read);
  pidfd_ = Fd(check(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)),
                    "pidfd_open", ""));
}

void KeptProcess::reap() {
  siginfo_t info;
  while (::waitid(static_cast<idtype_t>(P_PIDFD),
                  static_cast<id_t>(pidfd_.get()), &info, WEXITED) == -1 &&
         errno == EINTR) {
  }
  pidfd_ = Fd();
}

KeptProcess::~KeptProcess() {
  alive_ = Fd();
  if (pidfd_) reap();
}

ExitStatus KeptProcess::wait() {
  reap();
  int raw = 0;
  if (::read(status_.get(), &raw, sizeof raw) != sizeof raw)
    throw Error("RUN: the process that watches the command was killed");
  ExitStatus status;
  status.signal = WIFSIGNALED(raw) ? WTERMSIG(raw) : 0;
  status.code = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
  return status;
}

}  // namespace cbuild::runtime
