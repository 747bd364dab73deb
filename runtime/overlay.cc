#include "runtime/overlay.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <cerrno>
#include <exception>
#include <thread>

#include "base/error.h"
#include "base/privileges.h"
#include "runtime/private_mount.h"

namespace cbuild::runtime {
namespace {

constexpr std::size_t kMostLowers = 500;  // OVL_MAX_STACK, fs/overlayfs

[[noreturn]] void refuse(int code, const std::string& path) {
  if (code == EPERM)
    throw IsolationError(
        "cannot mount: not permitted; this needs root or a user namespace");
  if (code == ENODEV)
    throw IsolationError("cannot mount: the kernel has no overlayfs");
  throw SystemError(code, "mount", path);
}

bool is_on_overlay(const std::string& path) {
  struct statfs fs;
  return ::statfs(path.c_str(), &fs) == 0 &&
         static_cast<unsigned long>(fs.f_type) == OVERLAYFS_SUPER_MAGIC;
}

Fd clone_directory(const std::string& path, bool read_only) {
  const int fd =
      ::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (fd == -1) refuse(errno, path);
  Fd tree(fd);
  make_private(tree.get(), read_only ? MOUNT_ATTR_RDONLY : 0, path);
  return tree;
}

// What the kernel wrote to the log of the mount context, for the message.
std::string context_log(int context) {
  char buffer[512];
  std::string log;
  for (;;) {
    const ssize_t n = ::read(context, buffer, sizeof buffer);
    if (n <= 0) return log;
    log += " (" + std::string(buffer, static_cast<std::size_t>(n));
    while (!log.empty() && log.back() == '\n') log.pop_back();
    log += ")";
  }
}

[[noreturn]] void fail(int code, const std::string& doing,
                       const std::string& path, const std::string& log) {
  if (code == EINVAL && is_on_overlay(path))
    throw IsolationError(
        "cannot mount an overlay on an overlay: put the store on another file "
        "system (a volume): " +
        path);
  throw SystemError(code, doing, path + log);
}

void set_option(int context, const char* key, const std::string& value) {
  if (::fsconfig(context, FSCONFIG_SET_STRING, key, value.c_str(), 0) == 0)
    return;
  const int code = errno;
  fail(code, "overlay option " + std::string(key), value, context_log(context));
}

// "name=value", or a name alone.
void set_feature(int context, const std::string& feature) {
  const std::size_t equals = feature.find('=');
  if (equals != std::string::npos)
    return set_option(context, feature.substr(0, equals).c_str(),
                      feature.substr(equals + 1));
  check(::fsconfig(context, FSCONFIG_SET_FLAG, feature.c_str(), nullptr, 0),
        "overlay option", feature);
}

// False where the kernel has no lowerdir+ (before 6.8).
bool add_lowers(int context, const std::vector<std::string>& lowers) {
  bool first = true;
  for (const std::string& lower : lowers) {
    if (first && ::fsconfig(context, FSCONFIG_SET_STRING, "lowerdir+",
                            lower.c_str(), 0) == -1) {
      if (errno == EINVAL) return false;
      throw_system_error("overlay lower directory", lower);
    }
    if (!first) set_option(context, "lowerdir+", lower);
    first = false;
  }
  return true;
}

// Before 6.5 overlayfs takes any option, up to a page of them, and looks at
// them (and complains to the kernel's log) as it is mounted.
bool takes_any_option() {
  static const bool any = [] {
    const Fd context(::fsopen("overlay", FSOPEN_CLOEXEC));
    if (!context) refuse(errno, "overlay");
    return ::fsconfig(context.get(), FSCONFIG_SET_FLAG, "no-such-option",
                      nullptr, 0) == 0;
  }();
  return any;
}

// Where overlayfs keeps its marks: user.overlay.* (userxattr, Linux 5.11),
// which is all that a user namespace can have, so that a store works however it
// is used. A file system without user.* leaves root trusted.overlay.*.
bool marks_for_users(const OverlaySpec& spec) {
  if (!in_first_user_namespace()) return true;
  const std::string& sample = spec.upper.empty() ? spec.lowers[0] : spec.upper;
  return ::getxattr(sample.c_str(), "user.overlay.opaque", nullptr, 0) != -1 ||
         errno != EOPNOTSUPP;
}

// userxattr turns redirect_dir and metacopy off, and takes no word on them.
std::vector<std::string> features(const OverlaySpec& spec) {
  if (marks_for_users(spec)) return {"index=off", "xino=off", "userxattr"};
  return {"index=off", "xino=off", "redirect_dir=off", "metacopy=off"};
}

// The page of options that mount(2) takes, with names that the directory
// `make_short_names` was called in has.
std::string option_page(const OverlaySpec& spec) {
  std::string options = "lowerdir=";
  for (std::size_t i = 0; i < spec.lowers.size(); ++i)
    options += (i == 0 ? "" : ":") + std::to_string(i);
  if (!spec.upper.empty()) options += ",upperdir=u,workdir=w,volatile";
  for (const std::string& feature : features(spec)) options += "," + feature;
  return options;
}

bool is_descriptor(const std::string& path) {
  return path.starts_with("/proc/self/fd/");
}

void make_short_names(const OverlaySpec& spec) {
  const auto link = [](const std::string& target, const std::string& name) {
    check(::symlink(target.c_str(), name.c_str()), "symlink", name);
  };
  for (std::size_t i = 0; i < spec.lowers.size(); ++i)
    if (!is_descriptor(spec.lowers[i])) link(spec.lowers[i], std::to_string(i));
  if (!spec.upper.empty()) {
    link(spec.upper, "u");
    link(spec.work, "w");
  }
}

// Of lower directories that are known by descriptor only: such a path leads to
// the mount namespace where it was opened, and overlayfs takes none of another.
std::vector<Fd> clone_descriptors(const std::vector<std::string>& lowers) {
  std::vector<Fd> clones(lowers.size());
  for (std::size_t i = 0; i < lowers.size(); ++i)
    if (is_descriptor(lowers[i])) clones[i] = clone_directory(lowers[i], false);
  return clones;
}

// At the names that make_short_names() left out.
void attach(const std::vector<Fd>& clones) {
  for (std::size_t i = 0; i < clones.size(); ++i) {
    if (!clones[i]) continue;
    const std::string name = std::to_string(i);
    check(::mkdir(name.c_str(), 0700), "mkdir", name);
    check(::move_mount(clones[i].get(), "", AT_FDCWD, name.c_str(),
                       MOVE_MOUNT_F_EMPTY_PATH),
          "move_mount", name);
  }
}

// The kernel does not say which.
void find_missing(const std::vector<std::string>& lowers) {
  for (const std::string& lower : lowers)
    check(::access(lower.c_str(), F_OK), "overlay lower directory", lower);
}

// On a thread of its own, whose mount namespace and working directory die with
// it: a tmpfs with short links to the layers, where nobody else can see it,
// since all options must fit in one page. The detached clone outlives it.
Fd mount_from_page(const OverlaySpec& spec, const std::vector<Fd>& clones) {
  if (::unshare(CLONE_FS | CLONE_NEWNS) == -1) refuse(errno, "mount namespace");
  check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "mount",
        "/");
  check(::mount("tmpfs", "/sys", "tmpfs", 0, nullptr), "mount", "tmpfs");
  check(::chdir("/sys"), "chdir", "tmpfs");
  make_short_names(spec);
  attach(clones);
  check(::mkdir("m", 0700), "mkdir", "m");
  if (::mount("overlay", "m", "overlay", 0, option_page(spec).c_str()) == -1) {
    const int code = errno;
    if (code == ENOENT) find_missing(spec.lowers);
    fail(code, "mount overlay", spec.upper, "");
  }
  return clone_directory("m", spec.upper.empty());
}

}  // namespace

Fd mount_overlay_by_page(const OverlaySpec& spec) {
  const std::vector<Fd> clones = clone_descriptors(spec.lowers);
  Fd tree;
  std::exception_ptr failure;
  std::thread([&] {
    try {
      tree = mount_from_page(spec, clones);
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
  return tree;
}

Fd mount_overlay(const OverlaySpec& spec) {
  if (spec.lowers.size() > kMostLowers)
    throw Error("it stands on " + std::to_string(spec.lowers.size()) +
                " layers, and overlayfs stacks " + std::to_string(kMostLowers) +
                ": join RUN steps, or COPY --from a stage into a new one");
  if (spec.lowers.empty()) return clone_directory(spec.upper, false);
  if (spec.lowers.size() == 1 && spec.upper.empty())
    return clone_directory(spec.lowers[0], true);

  if (takes_any_option()) return mount_overlay_by_page(spec);
  const Fd context(::fsopen("overlay", FSOPEN_CLOEXEC));
  if (!context) refuse(errno, "overlay");
  if (!add_lowers(context.get(), spec.lowers))
    return mount_overlay_by_page(spec);
  set_option(context.get(), "source", "overlay");  // shown by df and mount
  if (!spec.upper.empty()) {
    set_option(context.get(), "upperdir", spec.upper);
    set_option(context.get(), "workdir", spec.work);
    set_feature(context.get(), "volatile");
  }
  for (const std::string& feature : features(spec))
    set_feature(context.get(), feature);
  if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) ==
      -1) {
    const int code = errno;
    const std::string log = context_log(context.get());
    fail(code, "mount overlay", spec.upper, log);
  }
  const unsigned attributes = spec.upper.empty() ? MOUNT_ATTR_RDONLY : 0;
  return Fd(check(::fsmount(context.get(), FSMOUNT_CLOEXEC, attributes),
                  "fsmount", "overlay"));
}

}  // namespace cbuild::runtime
