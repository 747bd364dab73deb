// The child between clone3(2) and execve(2). It runs in the memory of a program
// with several threads (or in a copy, where a lock another thread held stays
// locked for ever). So nothing here allocates, throws or logs; whatever a step
// needs was put into the ChildPlan before the clone. The order of the steps
// matters, and each line of the table says why.
#include "runtime/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/caps.h"
#include "runtime/child_mounts.h"
#include "runtime/landlock.h"

namespace cbuild::runtime {
namespace {

// The pidfd closes the gap between the clone and prctl(2): getppid(2) cannot,
// it is 0 in a new pid namespace.
int die_with_parent(StepContext& context) noexcept {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) == -1) return -1;
  pollfd parent = {context.plan.parent, POLLIN, 0};
  if (::poll(&parent, 1, 0) == 1) ::_exit(127);
  return 0;
}

int reset_signals(StepContext&) noexcept {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  return ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

int own_session(StepContext&) noexcept {
  ::umask(0);
  return ::setsid() == -1 ? -1 : 0;
}

int write_cgroups(StepContext& context) noexcept {
  for (const int tasks : context.plan.cgroups)
    if (::write(tasks, "0", 1) == -1) return -1;
  return 0;
}

// Before the namespace, whose root is the group it was made in.
int join_cgroups(StepContext& context) noexcept {
  return write_cgroups(context) == -1 ? -1 : ::unshare(CLONE_NEWCGROUP);
}

int change_root(StepContext& context) noexcept {
  context.subject = "/";
  if (::fchdir(context.plan.root) == -1 || ::chroot(".") == -1) return -1;
  return ::chdir("/");
}

int join_network(StepContext& context) noexcept {
  const int network = context.plan.network;
  return network == -1 ? 0 : ::setns(network, CLONE_NEWNET);
}

int set_hostname(StepContext& context) noexcept {
  const char* name = context.plan.hostname;
  context.subject = name;
  return ::sethostname(name, ::strlen(name));
}

int set_limits(StepContext& context) noexcept {
  for (const ResourceLimit& limit : context.plan.limits) {
    const rlimit value = {limit.soft, limit.hard};
    if (::setrlimit(static_cast<__rlimit_resource>(limit.resource), &value) ==
        -1)
      return -1;
  }
  return 0;
}

int enter_directory(StepContext& context) noexcept {
  const char* cwd = context.plan.cwd;
  context.subject = cwd;
  if (::chdir(cwd) == 0) return 0;
  // Inside a mount, where the parent could not look.
  if (errno != ENOENT || make_path(cwd, true) == -1) return -1;
  return ::chdir(cwd);
}

int take_terminal(const ChildPlan& plan) noexcept {
  if (::ioctl(plan.terminal, TIOCSCTTY, 0) == -1) return -1;
  if (::fchown(plan.terminal, plan.uid, plan.gid) == -1) return -1;
  for (const int stream : {0, 1, 2})
    if (::dup2(plan.terminal, stream) == -1) return -1;
  return 0;
}

// /dev/null is the container's own. The pipes get the user as owner, so that
// it may open /dev/stdout.
int set_streams(StepContext& context) noexcept {
  const ChildPlan& plan = context.plan;
  context.subject = "/dev/null";
  const int in =
      plan.in != -1 ? plan.in : ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (in == -1) return -1;
  context.subject = "";
  if (::fchown(plan.out, plan.uid, plan.gid) == -1 ||
      ::fchown(plan.err, plan.uid, plan.gid) == -1)
    return -1;
  if (::dup2(in, 0) == -1 || ::dup2(plan.out, 1) == -1 ||
      ::dup2(plan.err, 2) == -1)
    return -1;
  if (plan.terminal != -1 && take_terminal(plan) == -1) return -1;
  return static_cast<int>(
      ::syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC));
}

int drop_bounding(StepContext& context) noexcept {
  if (context.plan.insecure) return 0;
  return drop_bounding_capabilities(context.plan.capabilities);
}

int restrict_files_and_signals(StepContext& context) noexcept {
  const int rules = context.plan.landlock;
  return rules == -1 ? 0 : restrict_by_landlock(rules);
}

int install_seccomp(StepContext& context) noexcept {
  const std::span<const sock_filter> filter = context.plan.seccomp;
  if (filter.empty()) return 0;
  const sock_fprog program = {static_cast<unsigned short>(filter.size()),
                              const_cast<sock_filter*>(filter.data())};
  return static_cast<int>(
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}

// Raw system calls: the wrappers of glibc would make cbuild's own threads do
// the same.
int switch_user(StepContext& context) noexcept {
  const ChildPlan& plan = context.plan;
  if (plan.set_groups &&
      ::syscall(SYS_setgroups, plan.groups.size(), plan.groups.data()) == -1)
    return -1;
  if (::syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid) == -1) return -1;
  if (plan.insecure && ::prctl(PR_SET_KEEPCAPS, 1) == -1) return -1;
  return static_cast<int>(
      ::syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid));
}

int limit_capabilities(StepContext& context) noexcept {
  if (context.plan.insecure) return raise_all_capabilities();
  return set_capabilities(context.plan.capabilities);
}

int set_umask(StepContext&) noexcept {
  ::umask(022);
  return 0;
}

struct ChildStep {
  const char* name;  // shown to the user: "RUN: pivot root: Invalid argument"
  int (*run)(StepContext&) noexcept;
};

constexpr ChildStep kChildSteps[] = {
    {"die with cbuild", die_with_parent},  // first: from here nothing is left
    {"reset signals", reset_signals},
    {"start session", own_session},  // umask 0: modes below are exact
    {"join control group", join_cgroups},
    {"join network", join_network},  // before /sys, which shows it
    {"make mounts private", make_mounts_private},  // before any mount(2)
    {"open mount sources", clone_sources},  // host paths end with the pivot
    {"mount", make_proc_and_sys},  // a user namespace may while it sees others
    {"pivot root", pivot_into_root},  // paths from here are the container's
    {"mount", mount_proc},            // before /dev, which links into it
    {"mount", mount_dev},
    {"mount", mount_sys},
    {"mount", mount_rest},  // may lie in any of those above
    {"mask", mask_paths},   // last of the mounts: hides parts of them
    {"set hostname", set_hostname},
    {"set limits", set_limits},    // may raise: needs CAP_SYS_RESOURCE
    {"enter", enter_directory},    // root may pass where the user may not
    {"set streams", set_streams},  // owns pipes for the user: needs CHOWN
    {"drop capabilities", drop_bounding},      // needs SETPCAP
    {"load seccomp filter", install_seccomp},  // without no_new_privs it needs
                                               // SYS_ADMIN, so before:
    {"switch user", switch_user},
    {"limit capabilities", limit_capabilities},  // the others needed them
    {"die with cbuild", die_with_parent},        // a new user had cleared it
    {"set umask", set_umask},
};

constexpr ChildStep kChrootSteps[] = {
    {"reset signals", reset_signals},
    {"start session", own_session},
    {"join control group", write_cgroups},
    {"change root", change_root},  // paths from here are the container's
    {"set limits", set_limits},
    {"enter", enter_directory},    // root may pass where the user may not
    {"set streams", set_streams},  // owns pipes for the user: needs CHOWN
    {"drop capabilities", drop_bounding},             // needs SETPCAP
    {"restrict itself", restrict_files_and_signals},  // as the next, where
    {"load seccomp filter", install_seccomp},  // confinement.h says it may
    {"switch user", switch_user},
    {"limit capabilities", limit_capabilities},
    {"set umask", set_umask},
};

std::span<const ChildStep> steps_of(const ChildPlan& plan) noexcept {
  if (plan.only_chroot) return kChrootSteps;
  return kChildSteps;
}

void copy_text(char* to, std::size_t size, const char* from) noexcept {
  ::strncpy(to, from, size - 1);
}

[[noreturn]] void report(const ChildPlan& plan, ChildFailure::Kind kind,
                         int code, const char* step,
                         const char* subject) noexcept {
  ChildFailure failure;
  failure.kind = kind;
  failure.code = code;
  copy_text(failure.step, sizeof failure.step, step);
  copy_text(failure.subject, sizeof failure.subject, subject);
  // Smaller than PIPE_BUF: it arrives whole, or the parent is gone.
  [[maybe_unused]] const ssize_t n =
      ::write(plan.report_pipe, &failure, sizeof failure);
  ::_exit(127);
}

// Go's exec.LookPath, which runc uses: the first that is an executable file.
[[noreturn]] void exec_command(const ChildPlan& plan) noexcept {
  int code = ENOENT;
  for (const char* program : plan.programs) {
    struct stat st;
    if (::stat(program, &st) == -1) {
      code = errno;
      continue;
    }
    if (S_ISDIR(st.st_mode)) {
      code = EISDIR;
      continue;
    }
    if (::access(program, X_OK) == -1) {
      code = errno;
      continue;
    }
    ::execve(program, plan.argv, plan.envp);
    report(plan, ChildFailure::Kind::exec, errno, "exec", program);
  }
  report(plan, ChildFailure::Kind::missing, code, "exec", plan.argv[0]);
}

}  // namespace

void child_main(ChildPlan& plan) noexcept {
  StepContext context{plan};
  for (const ChildStep& step : steps_of(plan)) {
    context.subject = "";
    if (step.run(context) == -1)
      report(plan, ChildFailure::Kind::step, errno, step.name, context.subject);
  }
  exec_command(plan);
}

}  // namespace cbuild::runtime
