// The child half: from clone3(2) to execve(2).
//
// It shares the memory of the parent, one thread of which sleeps meanwhile.
// Everything it needs is in a ChildPlan, made before: from the clone on nothing
// allocates, throws, logs or takes a lock. What fails is written to
// `report_pipe` as one ChildFailure; a successful exec closes that pipe.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <span>

#include "runtime/caps.h"
#include "runtime/runner.h"

namespace cbuild::runtime {

// One mount on top of the image, in the order of the plan.
struct ChildMount {
  const char* target = nullptr;   // as the image sees it; links are followed
  bool directory = true;          // kind of mount point to make where absent
  int tree = -1;                  // a detached mount, to be moved to `target`
  int source = -1;                // or a path to clone a mount from first,
  std::uint64_t attributes = 0;   // with these MOUNT_ATTR_ set
  const char* tmpfs = nullptr;    // or a new tmpfs with these options,
  unsigned long tmpfs_flags = 0;  // and these MS_ flags
};

struct ChildDevice {
  const char* path;
  std::uint32_t mode;  // with S_IFCHR or S_IFBLK
  std::uint64_t device;
  std::uint32_t uid, gid;
};

struct ChildPlan {
  // No namespaces and no mounts: chroot(2) to the directory `root`, without
  // what of this is about those.
  bool only_chroot = false;
  std::uint64_t capabilities = kDefaultCapabilities;

  int root = -1;                 // detached mount that becomes "/"
  const char* attach_point;      // a directory of the host, to mount things on
  std::span<const int> attach;   // detached mounts that `source`s are in
  std::span<ChildMount> mounts;  // `tree` is filled in from `source`
  std::span<const ChildDevice> devices;

  int cgroup = -1;               // group to be cloned into, or -1
  std::span<const int> cgroups;  // files to write "0" to, to join
  int network = -1;              // namespace to join, or -1
  bool mount_cgroup = false;     // cgroup v2 is there to be mounted
  bool insecure = false;
  // The devices of /dev are among `mounts`, and nothing else is one: a node
  // that the command makes cannot be opened.
  bool bind_devices = false;
  // Where no proc or sysfs may be mounted, /proc or /sys is the host's.
  bool bind_sys = false;
  bool set_groups = true;   // false: setgroups(2) is denied here
  bool outer_proc = false;  // filled in: /proc is not its own
  int proc_tree = -1;       // filled in: /proc and /sys, detached
  int sys_tree = -1;
  const char* pts_options = nullptr;
  const char* hostname = nullptr;
  const char* shm_options = nullptr;
  const char* cwd = nullptr;

  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::span<const std::uint32_t> groups;
  std::span<const ResourceLimit> limits;
  int landlock = -1;                     // landlock.h; -1: none
  std::span<const sock_filter> seccomp;  // empty: none

  std::span<const char* const> programs;  // paths of argv[0] to try in turn
  char* const* argv = nullptr;
  char* const* envp = nullptr;

  int in = -1;        // -1: /dev/null
  int terminal = -1;  // in place of in, out and err
  int out = -1;       // write ends of pipes
  int err = -1;
  int report_pipe = -1;
  int parent = -1;  // pidfd of cbuild
};

struct ChildFailure {
  enum class Kind : std::uint8_t {
    step,     // `step` and `subject` say what failed, with `code`
    missing,  // none of `programs` can be executed; `code` of the last
    exec,     // `subject` was found but execve(2) failed with `code`
  };
  Kind kind = Kind::step;
  int code = 0;  // errno
  char step[64] = {};
  char subject[256] = {};
};

// Does not return: execs, or reports and exits with 127.
[[noreturn]] void child_main(ChildPlan& plan) noexcept;

}  // namespace cbuild::runtime
