// The filter is tried in a small interpreter: every decision can be asked for
// without having to make the system call.
#include "runtime/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <catch2/catch.hpp>
#include <cstring>

namespace cbuild::runtime {
namespace {

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kUnknown = SECCOMP_RET_ERRNO | ENOSYS;

// The classic BPF that our filter consists of.
std::uint32_t decide(const seccomp_data& data,
                     const std::vector<sock_filter>& code) {
  std::uint32_t a = 0;
  for (std::size_t at = 0; at < code.size(); ++at) {
    const sock_filter& op = code[at];
    switch (op.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&a, reinterpret_cast<const char*>(&data) + op.k, sizeof a);
        break;
      case BPF_JMP | BPF_JA:
        at += op.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        at += a == op.k ? op.jt : op.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        at += a >= op.k ? op.jt : op.jf;
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        at += (a & op.k) != 0 ? op.jt : op.jf;
        break;
      case BPF_RET | BPF_K:
        return op.k;
      default:
        FAIL("instruction " << op.code << " at " << at);
    }
  }
  FAIL("ran off the end");
  return 0;
}

std::uint32_t decide(std::uint32_t arch, long number, std::uint64_t first = 0) {
  seccomp_data data = {};
  data.arch = arch;
  data.nr = static_cast<int>(number);
  data.args[0] = first;
  return decide(data, default_seccomp_filter());
}

#if defined(__x86_64__)
std::uint32_t decide_prlimit(std::uint64_t pid, std::uint64_t new_limit,
                             const std::vector<sock_filter>& code) {
  seccomp_data data = {};
  data.arch = AUDIT_ARCH_X86_64;
  data.nr = SYS_prlimit64;
  data.args[0] = pid;
  data.args[2] = new_limit;
  return decide(data, code);
}
#endif

}  // namespace

#if defined(__x86_64__)

TEST_CASE("seccomp: decisions for x86_64", "[runtime]") {
  struct Case {
    const char* about;
    long number;
    std::uint64_t first;  // argument
    std::uint32_t want;
  };
  const Case cases[] = {
      {"read, the first of all", SYS_read, 0, kAllow},
      {"execve", SYS_execve, 0, kAllow},
      {"openat2", SYS_openat2, 0, kAllow},
      {"chroot: SYS_CHROOT is held", SYS_chroot, 0, kAllow},
      {"ptrace", SYS_ptrace, 0, kAllow},
      {"mount", SYS_mount, 0, kRefuse},
      {"unshare", SYS_unshare, 0, kRefuse},
      {"setns", SYS_setns, 0, kRefuse},
      {"bpf", SYS_bpf, 0, kRefuse},
      {"keyctl", SYS_keyctl, 0, kRefuse},
      {"io_uring_setup", SYS_io_uring_setup, 0, kRefuse},
      {"kexec_load", SYS_kexec_load, 0, kRefuse},
      {"clone3", SYS_clone3, 0, kUnknown},
      {"clone as fork does", SYS_clone, CLONE_CHILD_SETTID | 17, kAllow},
      {"clone of a thread", SYS_clone, CLONE_VM | CLONE_THREAD, kAllow},
      {"clone with a user namespace", SYS_clone, CLONE_NEWUSER, kRefuse},
      {"clone with a network", SYS_clone, CLONE_NEWNET | 17, kRefuse},
      {"socket AF_INET", SYS_socket, 2, kAllow},
      {"socket AF_NETLINK", SYS_socket, 16, kAllow},
      {"socket AF_ALG", SYS_socket, 38, kRefuse},
      {"socket AF_NFC", SYS_socket, 39, kAllow},
      {"socket AF_VSOCK", SYS_socket, 40, kRefuse},
      {"socket of a family beyond", SYS_socket, 44, kAllow},
      {"personality PER_LINUX", SYS_personality, 0, kAllow},
      {"personality PER_LINUX32", SYS_personality, 8, kAllow},
      {"personality asked for", SYS_personality, 0xffffffff, kAllow},
      {"personality without ASLR", SYS_personality, 0x40000, kRefuse},
      {"fchmodat2, unknown to libseccomp", 452, 0, kAllow},
      {"lsm_get_self_attr", 459, 0, kRefuse},
      {"removexattrat, the last we know", 466, 0, kAllow},
      {"the next after it", 467, 0, kUnknown},
      {"far beyond", 100000, 0, kUnknown},
      {"a hole in the table", 400, 0, kRefuse},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.about) {
      CHECK(decide(AUDIT_ARCH_X86_64, c.number, c.first) == c.want);
    }
  }
}

TEST_CASE("seccomp: the other calling conventions have the same rules",
          "[runtime]") {
  constexpr long x32 = 0x40000000;
  CHECK(decide(AUDIT_ARCH_X86_64, x32 + 0) == kAllow);  // read
  CHECK(decide(AUDIT_ARCH_X86_64, x32 + SYS_mount) == kRefuse);
  CHECK(decide(AUDIT_ARCH_X86_64, x32 + SYS_clone3) == kUnknown);
  CHECK(decide(AUDIT_ARCH_X86_64, x32 + 520) == kAllow);  // execve
  CHECK(decide(AUDIT_ARCH_X86_64, x32 + 600) == kUnknown);
  CHECK(decide(AUDIT_ARCH_I386, 3) == kAllow);                    // read
  CHECK(decide(AUDIT_ARCH_I386, 21) == kRefuse);                  // mount
  CHECK(decide(AUDIT_ARCH_I386, 102) == kAllow);                  // socketcall
  CHECK(decide(AUDIT_ARCH_I386, 120, CLONE_NEWUSER) == kRefuse);  // clone
  CHECK(decide(AUDIT_ARCH_I386, 359, 40) == kRefuse);             // socket
  CHECK(decide(AUDIT_ARCH_I386, 407) == kAllow);  // clock_nanosleep_time64
  CHECK(decide(AUDIT_ARCH_AARCH64, 63) == SECCOMP_RET_KILL_PROCESS);
}

TEST_CASE("seccomp: in a chroot limits of other processes are read, not set",
          "[runtime]") {
  const std::vector<sock_filter>& code = chroot_seccomp_filter();
  constexpr std::uint64_t pointer = 0x7fff00001000, round = 0x7fff00000000;
  CHECK(decide_prlimit(0, pointer, code) == kAllow);
  CHECK(decide_prlimit(7, 0, code) == kAllow);
  CHECK(decide_prlimit(7, pointer, code) == kRefuse);
  CHECK(decide_prlimit(7, round, code) == kRefuse);  // its low half is 0
  CHECK(decide_prlimit(7, pointer, default_seccomp_filter()) == kAllow);
}

#endif

TEST_CASE("seccomp: the filter fits what the kernel takes", "[runtime]") {
  CHECK(default_seccomp_filter().size() <= BPF_MAXINSNS);
  CHECK(chroot_seccomp_filter().size() <= BPF_MAXINSNS);
}

}  // namespace cbuild::runtime
