#include "runtime/tree_copy.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/dir.h"
#include "base/error.h"
#include "base/overlay_marks.h"

namespace cbuild::runtime {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

std::string proc_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

std::string proc_path(int dir, const std::string& name) {
  return proc_path(dir) + "/" + name;
}

// A file of any type, by a path that may be a descriptor's in /proc.
struct XattrSource {
  const char* path;
  bool link;  // it is a symbolic link: not to be followed

  ssize_t list(char* names, std::size_t size) const {
    return link ? ::llistxattr(path, names, size)
                : ::listxattr(path, names, size);
  }
  ssize_t get(const char* name, char* value, std::size_t size) const {
    return link ? ::lgetxattr(path, name, value, size)
                : ::getxattr(path, name, value, size);
  }
};

void copy_xattr(const XattrSource& from, const std::string& to,
                const std::string& name) {
  std::string value(XATTR_SIZE_MAX, '\0');
  const ssize_t size = from.get(name.c_str(), value.data(), value.size());
  check(size, "getxattr", name);
  if (::lsetxattr(to.c_str(), name.c_str(), value.data(),
                  static_cast<std::size_t>(size), 0) == 0)
    return;
  // Others belong to a security module or a file system and to no layer.
  if (name.starts_with("user.") || name == "security.capability")
    throw_system_error("setxattr", name);
}

void copy_xattrs(const XattrSource& from, const std::string& to) {
  char few[1024];
  ssize_t size = from.list(few, sizeof few);
  if (size == 0 || (size == -1 && errno == ENOTSUP)) return;
  std::string names(few, size > 0 ? static_cast<std::size_t>(size) : 0);
  if (size == -1) {
    if (errno != ERANGE) throw_system_error("listxattr", to);
    names.resize(XATTR_LIST_MAX);
    size = check(from.list(names.data(), names.size()), "listxattr", to);
    names.resize(static_cast<std::size_t>(size));
  }
  for (std::size_t at = 0; at < names.size();) {
    const std::string name = names.c_str() + at;
    at += name.size() + 1;
    if (!is_overlay_xattr(name)) copy_xattr(from, to, name);
  }
}

// In this order: a change of owner clears setuid bits and capabilities.
void copy_attributes(const std::string& from, const struct stat& st, int dir,
                     const std::string& name, CopyMode mode) {
  if (::fchownat(dir, name.c_str(), st.st_uid, st.st_gid,
                 AT_SYMLINK_NOFOLLOW) == -1 &&
      mode != CopyMode::scratch)
    throw_system_error("chown", name);
  if (!S_ISLNK(st.st_mode))
    check(::fchmodat(dir, name.c_str(), st.st_mode & 07777, 0), "chmod", name);
  copy_xattrs({from.c_str(), S_ISLNK(st.st_mode)}, proc_path(dir, name));
  const timespec times[2] = {st.st_atim, st.st_mtim};
  check(::utimensat(dir, name.c_str(), times, AT_SYMLINK_NOFOLLOW),
        "set time of", name);
}

// Bytes from `begin` to `end`, through us: between file systems that do not
// know each other.
void copy_by_hand(int from, int to, off_t begin, off_t end,
                  const std::string& name) {
  std::string buffer(std::size_t{256} << 10, '\0');
  check(::lseek(from, begin, SEEK_SET), "seek", name);
  check(::lseek(to, begin, SEEK_SET), "seek", name);
  while (begin < end) {
    const std::size_t want =
        std::min(buffer.size(), static_cast<std::size_t>(end - begin));
    const std::size_t n = read_some(from, buffer.data(), want, name);
    if (n == 0) throw Error(name + " changed while it was copied");
    write_all(to, std::string_view(buffer).substr(0, n), name);
    begin += static_cast<off_t>(n);
  }
}

void copy_extent(int from, int to, off_t begin, off_t end,
                 const std::string& name) {
  off_t in = begin, out = begin;
  while (in < end) {
    const ssize_t n = ::copy_file_range(from, &in, to, &out,
                                        static_cast<std::size_t>(end - in), 0);
    if (n > 0) continue;
    if (n == -1 && errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP &&
        errno != ENOSYS)
      throw_system_error("copy", name);
    return copy_by_hand(from, to, in, end, name);
  }
}

void copy_content(int from, int to, off_t size, const std::string& name) {
  if (size == 0 || ::ioctl(to, FICLONE, from) == 0) return;
  check(::ftruncate(to, size), "truncate", name);
  for (off_t at = 0; at < size;) {
    const off_t begin = ::lseek(from, at, SEEK_DATA);
    if (begin == -1 && errno == ENXIO) return;  // a hole up to the end
    check(begin, "seek", name);
    at = check(::lseek(from, begin, SEEK_HOLE), "seek", name);
    copy_extent(from, to, begin, at, name);
  }
}

// A file, link, device, fifo or socket that is not there yet.
void copy_entry(int from, const std::string& name, const struct stat& st,
                int to, CopyMode mode) {
  if (mode == CopyMode::link &&
      ::linkat(from, name.c_str(), to, name.c_str(), 0) == 0)
    return;
  if (S_ISREG(st.st_mode)) {
    const Fd in = openat_path(from, name, O_RDONLY | O_NOFOLLOW);
    const Fd out = openat_path(to, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    copy_content(in.get(), out.get(), st.st_size, name);
  } else if (S_ISLNK(st.st_mode)) {
    check(::symlinkat(readlink_at(from, name).c_str(), to, name.c_str()),
          "symlink", name);
  } else {
    const mode_t type = st.st_mode & S_IFMT;
    check(::mknodat(to, name.c_str(), type | 0600, st.st_rdev), "mknod", name);
  }
  copy_attributes(proc_path(from, name), st, to, name, mode);
}

void apply_directory(int layer, int root, CopyMode mode);

void apply_subdirectory(int layer, const std::string& name,
                        const struct stat& st, int root, CopyMode mode) {
  const Fd from = openat_path(layer, name, kDirectory);
  std::optional<struct stat> there = lstat_at(root, name);
  if (there && (!S_ISDIR(there->st_mode) || is_opaque(from.get()))) {
    remove_tree_at(root, name);
    there.reset();
  }
  if (!there) check(::mkdirat(root, name.c_str(), 0700), "mkdir", name);
  const Fd to = openat_path(root, name, kDirectory);
  if (there) check(::fchmod(to.get(), 0700), "chmod", name);  // for no root
  apply_directory(from.get(), to.get(), mode);
  copy_directory_attributes(from.get(), st, to.get(), mode);
}

void apply_directory(int layer, int root, CopyMode mode) {
  for (const std::string& name : list_dir(layer)) {
    const std::optional<struct stat> st = lstat_at(layer, name);
    if (!st) continue;
    if (S_ISDIR(st->st_mode)) {
      apply_subdirectory(layer, name, *st, root, mode);
      continue;
    }
    if (lstat_at(root, name)) remove_tree_at(root, name);
    if (!is_whiteout_at(layer, name, *st))
      copy_entry(layer, name, *st, root, mode);
  }
}

}  // namespace

void apply_layer(int layer, int root, CopyMode mode) {
  apply_directory(layer, root, mode);
}

void copy_entry_of_layer(int layer, const std::string& name, int to) {
  const std::optional<struct stat> st = lstat_at(layer, name);
  if (!st) throw SystemError(ENOENT, "stat", name);
  copy_entry(layer, name, *st, to, CopyMode::copy);
}

void copy_file(int file, const struct stat& st, int dir,
               const std::string& name) {
  const Fd out = openat_path(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
  copy_content(file, out.get(), st.st_size, name);
  copy_attributes(proc_path(file), st, dir, name, CopyMode::scratch);
}

void copy_directory_attributes(int from, const struct stat& st, int to,
                               CopyMode mode) {
  copy_attributes(proc_path(from, "."), st, to, ".", mode);
}

}  // namespace cbuild::runtime
