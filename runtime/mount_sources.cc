#include "runtime/mount_sources.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/dir.h"
#include "base/error.h"
#include "base/text.h"
#include "runtime/overlay.h"
#include "runtime/private_mount.h"
#include "runtime/socket_forward.h"
#include "runtime/tree_copy.h"

namespace cbuild::runtime {
namespace {

// A command may make device nodes, for the image; opening one would be a way
// past all isolation.
constexpr std::uint64_t kNoDevices = MOUNT_ATTR_NODEV;

std::string proc_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

// A detached copy of the mount at `source` with all below it. Empty where that
// is itself detached and the kernel older than 6.15.
Fd clone_tree(int source, std::uint64_t attributes, const std::string& target) {
  const int tree = ::open_tree(
      source, "",
      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
  if (tree == -1 && errno == EINVAL) return Fd();
  Fd clone(check(tree, "open_tree", target));
  make_private(clone.get(), attributes, target);
  return clone;
}

void copy_attributes(const struct stat& from, int to) {
  check(::fchown(to, from.st_uid, from.st_gid), "chown", "");
  check(::fchmod(to, from.st_mode & 07777), "chmod", "");
  const timespec times[2] = {from.st_atim, from.st_mtim};
  check(::futimens(to, times), "utimens", "");
}

Fd copied_directory(int source, const struct stat& st,
                    const std::string& scratch) {
  const Fd from = open_path(proc_path(source), O_RDONLY | O_DIRECTORY);
  const Fd copy = open_path(scratch, O_RDONLY | O_DIRECTORY);
  apply_layer(from.get(), copy.get(), CopyMode::scratch);
  copy_directory_attributes(from.get(), st, copy.get(), CopyMode::scratch);
  return clone_tree(copy.get(), kNoDevices, scratch);
}

// Writes to the directory go to a scratch upper directory. Before Linux 6.15
// none can be had over a mount that is detached (another stage's layers).
Fd scratch_directory(int source, const struct stat& st,
                     const std::string& scratch) {
  if (!clone_tree(source, 0, scratch))
    return copied_directory(source, st, scratch);
  const OverlaySpec spec{
      {proc_path(source)}, scratch + "/upper", scratch + "/work"};
  check(::mkdir(spec.upper.c_str(), 0700), "mkdir", spec.upper);
  check(::mkdir(spec.work.c_str(), 0700), "mkdir", spec.work);
  const Fd upper = open_path(spec.upper, O_RDONLY | O_DIRECTORY);
  copy_attributes(st, upper.get());
  Fd tree = mount_overlay(spec);
  make_private(tree.get(), kNoDevices, scratch);
  return tree;
}

// Overlays are of directories only; a file is copied.
Fd scratch_file(int source, const struct stat& st, const std::string& scratch) {
  const Fd in = open_path(proc_path(source), O_RDONLY);
  const Fd directory = open_path(scratch, O_RDONLY | O_DIRECTORY);
  copy_file(in.get(), st, directory.get(), "file");
  const Fd copy = openat_path(directory.get(), "file", O_PATH | O_NOFOLLOW);
  return clone_tree(copy.get(), kNoDevices, scratch);
}

}  // namespace

ChildMount MountSource::child() const {
  ChildMount mount;
  mount.target = target.c_str();
  mount.directory = directory;
  mount.tree = tree.get();
  mount.source = source.get();
  mount.attributes = attributes;
  mount.tmpfs = tmpfs_flags != 0 ? tmpfs.c_str() : nullptr;
  mount.tmpfs_flags = tmpfs_flags;
  return mount;
}

MemoryFiles::MemoryFiles() {
  const Fd context(check(::fsopen("tmpfs", FSOPEN_CLOEXEC), "fsopen", "tmpfs"));
  // Not there before 6.4; then the swap device may see a secret.
  ::fsconfig(context.get(), FSCONFIG_SET_FLAG, "noswap", nullptr, 0);
  for (const auto& [key, value] :
       {std::pair("source", "tmpfs"), std::pair("mode", "0700")})
    check(::fsconfig(context.get(), FSCONFIG_SET_STRING, key, value, 0),
          "fsconfig", key);
  check(::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0),
        "fsconfig", "tmpfs");
  root_ = Fd(
      check(::fsmount(context.get(), FSMOUNT_CLOEXEC, 0), "fsmount", "tmpfs"));
}

MountSource MemoryFiles::add(const SecretMount& file) {
  const std::string name = std::to_string(count_++);
  Fd out = openat_path(root_.get(), name, O_WRONLY | O_CREAT | O_EXCL, 0600);
  write_all(out.get(), file.content, file.target);
  check(::fchown(out.get(), file.uid, file.gid), "chown", file.target);
  check(::fchmod(out.get(), file.mode), "chmod", file.target);
  out.close();
  MountSource mount = mount_of(name, file.target);
  if ((file.mode & 0111) == 0) mount.attributes |= MOUNT_ATTR_NOEXEC;
  return mount;
}

MountSource MemoryFiles::add(const SocketMount& socket, Fd& listener) {
  const std::string name = std::to_string(count_++);
  const std::string path = proc_path(root_.get()) + "/" + name;
  listener = listen_at(path);
  check(::fchownat(root_.get(), name.c_str(), socket.uid, socket.gid, 0),
        "chown", socket.target);
  check(::fchmodat(root_.get(), name.c_str(), socket.mode, 0), "chmod",
        socket.target);
  MountSource mount = mount_of(name, socket.target);
  mount.attributes |= MOUNT_ATTR_NOEXEC;
  return mount;
}

MountSource MemoryFiles::mount_of(const std::string& name,
                                  const std::string& target) {
  MountSource mount;
  mount.target = target;
  mount.directory = false;
  mount.source = openat_path(root_.get(), name, O_PATH | O_NOFOLLOW);
  mount.attach = root_.get();
  mount.attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  return mount;
}

std::vector<MountSource> device_sources() {
  std::vector<MountSource> devices;
  for (const char* path : {"/dev/full", "/dev/null", "/dev/random", "/dev/tty",
                           "/dev/urandom", "/dev/zero"}) {
    MountSource mount;
    mount.target = path;
    mount.directory = false;
    const Fd device = open_path(path, O_PATH | O_NOFOLLOW);
    mount.tree =
        clone_tree(device.get(), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, path);
    devices.push_back(std::move(mount));
  }
  return devices;
}

MountSource bind_source(const BindMount& bind, ViewKind kind) {
  return in_context("mount " + bind.target, [&] {
    // ".." is taken away from the text, as BuildKit does: what comes before it
    // need not be there.
    const std::string path = clean_path("/" + bind.source);
    Fd source = open_in_root(bind.source_root, path, O_PATH);
    struct stat st;
    check(::fstat(source.get(), &st), "stat", bind.source);
    MountSource mount;
    mount.target = bind.target;
    mount.directory = S_ISDIR(st.st_mode);
    if (!bind.discard_writes_in.empty()) {
      const auto make = !mount.directory            ? scratch_file
                        : kind == ViewKind::overlay ? scratch_directory
                                                    : copied_directory;
      mount.tree = make(source.get(), st, bind.discard_writes_in);
      return mount;
    }
    const std::uint64_t attributes =
        kNoDevices | (bind.read_only ? MOUNT_ATTR_RDONLY : 0);
    mount.tree = clone_tree(source.get(), attributes, bind.target);
    if (!mount.tree) {
      mount.attach = bind.source_root;
      mount.source = std::move(source);
      mount.attributes = attributes;
    }
    return mount;
  });
}

MountSource tmpfs_source(const TmpfsMount& tmpfs) {
  MountSource mount;
  mount.target = tmpfs.target;
  mount.tmpfs_flags = MS_NOSUID | MS_NODEV | (tmpfs.read_only ? MS_RDONLY : 0);
  if (tmpfs.size != 0) mount.tmpfs = "size=" + std::to_string(tmpfs.size);
  return mount;
}

}  // namespace cbuild::runtime
