#include "runtime/stubs.h"

#include <fcntl.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <optional>

#include "base/dir.h"
#include "base/error.h"

namespace cbuild::runtime {
namespace {

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// Runs `change` on the directory `parent` and puts its times back.
void keeping_times(int parent, const std::function<void()>& change) {
  struct stat st;
  check(::fstat(parent, &st), "stat", "parent of a mount point");
  change();
  const timespec times[2] = {st.st_atim, st.st_mtim};
  check(::futimens(parent, times), "utimens", "parent of a mount point");
}

// Extended attributes but overlayfs's own.
std::map<std::string, std::string> xattrs_of(int dir) {
  std::map<std::string, std::string> all;
  std::string names(64 << 10, '\0');
  const ssize_t size = ::flistxattr(dir, names.data(), names.size());
  if (size <= 0) return all;
  names.resize(static_cast<std::size_t>(size));
  std::string value(64 << 10, '\0');
  for (std::size_t at = 0; at < names.size();) {
    const std::string name = names.c_str() + at;
    at += name.size() + 1;
    if (name.starts_with("trusted.overlay.") ||
        name.starts_with("user.overlay."))
      continue;
    const ssize_t n =
        ::fgetxattr(dir, name.c_str(), value.data(), value.size());
    if (n >= 0) all[name] = value.substr(0, static_cast<std::size_t>(n));
  }
  return all;
}

bool same_attributes(const struct stat& a, const struct stat& b) {
  return a.st_mode == b.st_mode && a.st_uid == b.st_uid &&
         a.st_gid == b.st_gid && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

Fd open_directory(int root, const std::string& path) {
  return open_in_root(root, path, O_RDONLY | O_DIRECTORY);
}

void make_one(int parent, const std::string& name, bool directory) {
  if (directory) {
    check(::mkdirat(parent, name.c_str(), 0755), "mkdir", name);
    // Whatever the umask.
    check(::fchmodat(parent, name.c_str(), 0755, 0), "chmod", name);
  } else {
    openat_path(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
  }
}

// A file, or a directory that may turn out not to be empty.
void remove_if_empty(int root, const std::string& path, bool directory) {
  const Fd parent = open_directory(root, parent_of(path));
  keeping_times(parent.get(), [&] {
    const int rc = ::unlinkat(parent.get(), name_of(path).c_str(),
                              directory ? AT_REMOVEDIR : 0);
    if (rc == -1 && errno != ENOTEMPTY && errno != EEXIST)
      throw_system_error("remove mount point", path);
  });
}

}  // namespace

void make_missing(int root, const ResolvedPath& path, std::uint32_t uid,
                  std::uint32_t gid) {
  for (std::size_t i = path.existing; i < path.parts.size(); ++i) {
    const Fd parent = open_directory(root, path.prefix(i));
    make_one(parent.get(), path.parts[i], true);
    check(::fchownat(parent.get(), path.parts[i].c_str(), uid, gid,
                     AT_SYMLINK_NOFOLLOW),
          "chown", path.parts[i]);
  }
}

void MountStubs::note_copies(const ResolvedPath& path) {
  if (path.existing == path.parts.size()) return;
  for (std::size_t count = 1; count <= path.existing; ++count) {
    const std::string dir = path.prefix(count);
    if (lstat_at(AT_FDCWD, upper_ + "/" + dir)) continue;
    const Fd fd = open_directory(root_, dir);
    CopiedUp copy{dir, {}, xattrs_of(fd.get())};
    check(::fstat(fd.get(), &copy.st), "stat", dir);
    copied_.push_back(std::move(copy));
  }
}

void MountStubs::note_lent(const ResolvedPath& path) {
  for (std::size_t count = 1; count <= path.existing; ++count) {
    const std::string prefix = path.prefix(count);
    const std::optional<struct stat> st = lstat_at(root_, prefix);
    if (st && points_.comes_from(*st)) lent_.insert(prefix);
  }
}

void MountStubs::make(const std::string& target, bool directory) {
  const ResolvedPath path = resolve_in_root(root_, target, mounted_);
  if (path.in_mount) return;
  mounted_.insert(path.path());
  note_copies(path);
  note_lent(path);
  for (std::size_t i = path.existing; i < path.parts.size(); ++i) {
    const Fd parent = open_directory(root_, path.prefix(i));
    const bool last = i + 1 == path.parts.size();
    keeping_times(parent.get(), [&] {
      make_one(parent.get(), path.parts[i], directory || !last);
    });
    made_.push_back(path.prefix(i + 1));
  }
}

void MountStubs::make_directory(const std::string& wanted, std::uint32_t uid,
                                std::uint32_t gid) {
  const ResolvedPath path = resolve_in_root(root_, wanted, mounted_);
  if (!path.in_mount) make_missing(root_, path, uid, gid);
}

void MountStubs::remove() {
  for (auto stub = made_.rbegin(); stub != made_.rend(); ++stub) {
    // The command may have put anything in the way of the path, or below it.
    if (resolve_in_root(root_, *stub).path() != *stub) continue;
    const std::optional<struct stat> st = lstat_at(root_, *stub);
    if (!st || (!S_ISDIR(st->st_mode) && st->st_size != 0)) continue;
    remove_if_empty(root_, *stub, S_ISDIR(st->st_mode));
  }
}

void MountStubs::tidy() {
  if (copied_.empty() && lent_.empty()) return;
  const Fd upper = open_path(upper_, O_RDONLY | O_DIRECTORY);
  tidy_copies(upper.get());
  tidy_lent(upper.get());
}

void MountStubs::tidy_copies(int upper) {
  for (auto copy = copied_.rbegin(); copy != copied_.rend(); ++copy) {
    const ResolvedPath path = resolve_in_root(upper, copy->path);
    if (!path.exists() || path.path() != copy->path) continue;
    const std::optional<Fd> dir =
        try_openat(upper, copy->path, O_RDONLY | O_DIRECTORY);
    if (!dir) continue;
    struct stat st;
    check(::fstat(dir->get(), &st), "stat", copy->path);
    if (!same_attributes(st, copy->st) || xattrs_of(dir->get()) != copy->xattrs)
      continue;
    remove_if_empty(upper, copy->path, true);
  }
}

// As remove() does with what was made: the image has nothing at these paths.
void MountStubs::tidy_lent(int upper) {
  for (auto path = lent_.rbegin(); path != lent_.rend(); ++path) {
    const std::optional<struct stat> st = lstat_at(upper, *path);
    if (!st || resolve_in_root(upper, *path).path() != *path) continue;
    if (!S_ISDIR(st->st_mode) && st->st_size != 0) continue;
    remove_if_empty(upper, *path, S_ISDIR(st->st_mode));
  }
}

}  // namespace cbuild::runtime
