#include "runtime/child_mounts.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

namespace cbuild::runtime {
namespace {

constexpr unsigned long kPlain = MS_NOSUID | MS_NOEXEC | MS_NODEV;
constexpr unsigned kPlainTree =
    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV;

int mount_at(StepContext& context, const char* type, const char* target,
             unsigned long flags, const char* options) noexcept {
  context.subject = target;
  return ::mount(type, target, type, flags, options);
}

int new_tree(const char* type, unsigned attributes) noexcept {
  const int context = ::fsopen(type, FSOPEN_CLOEXEC);
  if (context == -1) return -1;
  int tree = -1;
  if (::fsconfig(context, FSCONFIG_SET_STRING, "source", type, 0) == 0 &&
      ::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0)
    tree = ::fsmount(context, FSMOUNT_CLOEXEC, attributes);
  const int code = errno;
  ::close(context);
  errno = code;
  return tree;
}

int clone_host(const char* path) noexcept {
  const int tree = ::open_tree(
      AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  if (tree == -1) return -1;
  mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_RDONLY | kPlainTree;
  return ::mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes,
                         sizeof attributes) == -1
             ? -1
             : tree;
}

struct UsualNode {
  const char* path;
  mode_t mode;
  unsigned major, minor;
};

constexpr UsualNode kDevices[] = {
    {"/dev/null", 0666, 1, 3},    {"/dev/zero", 0666, 1, 5},
    {"/dev/full", 0666, 1, 7},    {"/dev/random", 0666, 1, 8},
    {"/dev/urandom", 0666, 1, 9}, {"/dev/tty", 0666, 5, 0},
};

// What BuildKit adds for --security=insecure.
constexpr UsualNode kInsecureDevices[] = {
    {"/dev/kmsg", 0644, 1, 11},      {"/dev/fuse", 0666, 10, 229},
    {"/dev/cuse", 0600, 10, 203},    {"/dev/kvm", 0660, 10, 232},
    {"/dev/net/tun", 0666, 10, 200}, {"/dev/loop-control", 0660, 10, 237},
    {"/dev/loop0", 0660, 7, 0},      {"/dev/loop1", 0660, 7, 1},
    {"/dev/loop2", 0660, 7, 2},      {"/dev/loop3", 0660, 7, 3},
    {"/dev/loop4", 0660, 7, 4},      {"/dev/loop5", 0660, 7, 5},
    {"/dev/loop6", 0660, 7, 6},      {"/dev/loop7", 0660, 7, 7},
};

constexpr struct {
  const char* target;
  const char* path;
} kLinks[] = {
    {"/proc/self/fd", "/dev/fd"},       {"/proc/self/fd/0", "/dev/stdin"},
    {"/proc/self/fd/1", "/dev/stdout"}, {"/proc/self/fd/2", "/dev/stderr"},
    {"pts/ptmx", "/dev/ptmx"},
};

constexpr const char* kDevDirectories[] = {"/dev/pts", "/dev/shm",
                                           "/dev/mqueue"};

constexpr const char* kMasked[] = {
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
};

constexpr const char* kReadOnly[] = {"/proc/bus", "/proc/fs", "/proc/irq",
                                     "/proc/sys", "/proc/sysrq-trigger"};

int make_node(StepContext& context, const UsualNode& node) noexcept {
  context.subject = node.path;
  const dev_t device = ::makedev(node.major, node.minor);
  return ::mknod(node.path, S_IFCHR | node.mode, device);
}

int make_insecure_nodes(StepContext& context) noexcept {
  if (::mkdir("/dev/net", 0755) == -1) return -1;
  for (UsualNode node : kInsecureDevices) {
    context.subject = node.path;
    const mode_t type = node.major == 7 ? S_IFBLK : S_IFCHR;
    if (::mknod(node.path, type | node.mode,
                ::makedev(node.major, node.minor)) == -1)
      return -1;
  }
  return 0;
}

// Its own mount, the only one of the container's that lets devices be opened.
int let_open(const char* path) noexcept {
  if (::mount(path, path, nullptr, MS_BIND, nullptr) == -1) return -1;
  return ::mount(nullptr, path, nullptr,
                 MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NOEXEC, nullptr);
}

int make_devices(StepContext& context) noexcept {
  for (const ChildDevice& device : context.plan.devices) {
    context.subject = device.path;
    char parent[PATH_MAX];
    ::strncpy(parent, device.path, sizeof parent - 1);
    parent[sizeof parent - 1] = '\0';
    *::strrchr(parent, '/') = '\0';
    if (make_path(parent, true) == -1) return -1;
    if (::mknod(device.path, device.mode, device.device) == -1 ||
        ::chown(device.path, device.uid, device.gid) == -1)
      return -1;
    if (context.plan.bind_devices && let_open(device.path) == -1) return -1;
  }
  return 0;
}

// None is shared with the host: those that were cloned out here are private
// (private_mount.h), and so is the namespace that others are cloned in.
int move_to(int tree, const char* target) noexcept {
  return ::move_mount(tree, "", AT_FDCWD, target,
                      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS);
}

bool absent(int code) noexcept { return code == ENOENT || code == ENOTDIR; }

// In a directory that is there.
int make_last(const char* path, bool directory) noexcept {
  if (directory) return ::mkdir(path, 0755) == -1 && errno != EEXIST ? -1 : 0;
  const int fd = ::open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  return fd == -1 ? -1 : ::close(fd);
}

}  // namespace

int make_path(const char* path, bool directory) noexcept {
  char buffer[PATH_MAX];
  const std::size_t length = ::strlen(path);
  if (length >= sizeof buffer) {
    errno = ENAMETOOLONG;
    return -1;
  }
  if (make_last(path, directory) == 0) return 0;
  if (errno != ENOENT) return -1;
  ::memcpy(buffer, path, length + 1);
  for (std::size_t i = 1; i < length; ++i) {
    if (buffer[i] != '/') continue;
    buffer[i] = '\0';
    if (::mkdir(buffer, 0755) == -1 && errno != EEXIST) return -1;
    buffer[i] = '/';
  }
  return make_last(path, directory);
}

int make_mounts_private(StepContext& context) noexcept {
  context.subject = "/";
  return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
}

// A mount can be cloned only from within a namespace that it is attached in,
// so the mounts with our files are attached first (to a place that goes away
// with the old root). From Linux 6.15 on detached ones could be cloned too.
int clone_sources(StepContext& context) noexcept {
  ChildPlan& plan = context.plan;
  for (const int mount : plan.attach)
    if (move_to(mount, plan.attach_point) == -1) return -1;
  for (ChildMount& mount : plan.mounts) {
    if (mount.source == -1) continue;
    context.subject = mount.target;
    mount.tree = ::open_tree(
        mount.source, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    if (mount.tree == -1) return -1;
    mount_attr attributes = {};
    attributes.attr_set = mount.attributes;
    if (::mount_setattr(mount.tree, "", AT_EMPTY_PATH, &attributes,
                        sizeof attributes) == -1)
      return -1;
  }
  return 0;
}

// For mount_proc() and mount_sys(). In a user namespace the kernel makes them
// only where the old ones are in sight, and a sysfs only for the owner of the
// network namespace (sysfs_init_fs_context). Where parts of the old ones are
// masked, as in a container, there are none: then the old ones are bound, read
// only. /proc/self still is the process that asks, whatever the pid namespace.
int make_proc_and_sys(StepContext& context) noexcept {
  ChildPlan& plan = context.plan;
  context.subject = "/proc";
  plan.proc_tree = new_tree("proc", kPlainTree);
  plan.outer_proc = plan.proc_tree == -1 && errno == EPERM && plan.bind_sys;
  if (plan.outer_proc) plan.proc_tree = clone_host("/proc");
  if (plan.proc_tree == -1) return -1;
  context.subject = "/sys";
  plan.sys_tree =
      new_tree("sysfs", kPlainTree | (plan.insecure ? 0 : MOUNT_ATTR_RDONLY));
  if (plan.sys_tree == -1 && errno == EPERM && plan.bind_sys)
    plan.sys_tree = clone_host("/sys");
  return plan.sys_tree == -1 ? -1 : 0;
}

// pivot_root(2), "NOTES": the old root ends up mounted on the new one.
int pivot_into_root(StepContext& context) noexcept {
  ChildPlan& plan = context.plan;
  context.subject = plan.attach_point;
  if (move_to(plan.root, plan.attach_point) == -1) return -1;
  context.subject = "/";
  mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_NODEV;
  if (plan.bind_devices &&
      ::mount_setattr(plan.root, "", AT_EMPTY_PATH, &attributes,
                      sizeof attributes) == -1)
    return -1;
  if (::fchdir(plan.root) == -1) return -1;
  if (::syscall(SYS_pivot_root, ".", ".") == -1) return -1;
  if (::umount2(".", MNT_DETACH) == -1) return -1;
  return ::chdir("/");
}

int mount_proc(StepContext& context) noexcept {
  context.subject = "/proc";
  return move_to(context.plan.proc_tree, "/proc");
}

int mount_dev(StepContext& context) noexcept {
  ChildPlan& plan = context.plan;
  const unsigned long nodev = plan.bind_devices ? MS_NODEV : 0;
  if (mount_at(context, "tmpfs", "/dev", MS_NOSUID | MS_STRICTATIME | nodev,
               "mode=755,size=65536k") == -1)
    return -1;
  for (const char* directory : kDevDirectories)
    if (::mkdir(directory, 0755) == -1) return -1;
  if (!plan.bind_devices)
    for (const UsualNode& node : kDevices)
      if (make_node(context, node) == -1) return -1;
  if (plan.insecure && !plan.bind_devices && make_insecure_nodes(context) == -1)
    return -1;
  for (const auto& link : kLinks)
    if (::symlink(link.target, link.path) == -1) return -1;
  if (::access("/proc/kcore", F_OK) == 0 &&
      ::symlink("/proc/kcore", "/dev/core") == -1)
    return -1;
  if (mount_at(context, "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC,
               plan.pts_options) == -1)
    return -1;
  if (mount_at(context, "tmpfs", "/dev/shm", kPlain, plan.shm_options) == -1)
    return -1;
  if (mount_at(context, "mqueue", "/dev/mqueue", kPlain, nullptr) == -1)
    return -1;
  return make_devices(context);
}

// Where the host's /sys is bound, its cgroup2 is there, and the kernel refuses
// a file system on top of itself.
int mount_cgroups(StepContext& context, unsigned long flags) noexcept {
  const char* place = "/sys/fs/cgroup";
  if (mount_at(context, "cgroup2", place, flags, nullptr) == 0) return 0;
  if (errno != EBUSY ||
      mount_at(context, "tmpfs", place, kPlain, "nr_inodes=1") == -1)
    return -1;
  return mount_at(context, "cgroup2", place, flags, nullptr);
}

int mount_sys(StepContext& context) noexcept {
  const unsigned long read_only = context.plan.insecure ? 0 : MS_RDONLY;
  context.subject = "/sys";
  if (move_to(context.plan.sys_tree, "/sys") == -1) return -1;
  if (!context.plan.mount_cgroup) return 0;
  return mount_cgroups(context, kPlain | read_only);
}

// What the plan lists, parents before children. The parent has made the mount
// points that are in the image; those inside an earlier mount are made here.
int mount_rest(StepContext& context) noexcept {
  for (const ChildMount& mount : context.plan.mounts) {
    context.subject = mount.target;
    struct stat st;
    if (::stat(mount.target, &st) == -1 &&
        (!absent(errno) || make_path(mount.target, mount.directory) == -1))
      return -1;
    const int rc = mount.tmpfs ? ::mount("tmpfs", mount.target, "tmpfs",
                                         mount.tmpfs_flags, mount.tmpfs)
                               : move_to(mount.tree, mount.target);
    if (rc == -1) return -1;
  }
  return 0;
}

// With an empty directory, the same for all: `*empty` is where the first is.
// Not tried by a mount that is refused: each of those waits for all processors
// (synchronize_rcu_expedited() in fs/namespace.c), as unmounting does.
int mask(const char* path, const char** empty) noexcept {
  struct stat st;
  if (::stat(path, &st) == -1) return errno == ENOENT ? 0 : -1;
  if (!S_ISDIR(st.st_mode))
    return ::mount("/dev/null", path, nullptr, MS_BIND, nullptr);
  if (*empty != nullptr)
    return ::mount(*empty, path, nullptr, MS_BIND, nullptr);
  *empty = path;
  return ::mount("tmpfs", path, "tmpfs", MS_RDONLY | kPlain, "nr_inodes=1");
}

int mask_paths(StepContext& context) noexcept {
  if (context.plan.insecure) return 0;
  for (const char* path : kReadOnly) {
    if (context.plan.outer_proc) break;  // all of it is
    context.subject = path;
    if (::mount(path, path, nullptr, MS_BIND | MS_REC, nullptr) == -1) {
      if (absent(errno)) continue;
      return -1;
    }
    if (::mount(nullptr, path, nullptr,
                MS_REMOUNT | MS_BIND | MS_RDONLY | kPlain, nullptr) == -1)
      return -1;
  }
  const char* empty = nullptr;
  for (const char* path : kMasked) {
    context.subject = path;
    if (mask(path, &empty) == -1) return -1;
  }
  return 0;
}

}  // namespace cbuild::runtime
