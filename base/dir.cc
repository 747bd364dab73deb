#include "base/dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/error.h"

namespace cbuild {
namespace {

bool absent(int code) { return code == ENOENT || code == ENOTDIR; }

int openat2_in_root(int root, const std::string& path, int flags,
                    unsigned mode) {
  open_how how = {};
  how.flags = static_cast<unsigned>(flags) | O_CLOEXEC;
  if (flags & (O_CREAT | __O_TMPFILE)) how.mode = mode;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    const long fd = ::syscall(
        SYS_openat2, root, path.empty() ? "." : path.c_str(), &how, sizeof how);
    // EAGAIN: a rename raced with a ".." component; the kernel asks to retry.
    if (fd == -1 && (errno == EAGAIN || errno == EINTR)) continue;
    return static_cast<int>(fd);
  }
}

struct CloseDir {
  void operator()(DIR* d) const { ::closedir(d); }
};

// Flags of chattr(1) that keep a file from being removed, and a directory from
// losing one. True where the file had one and has it no more.
bool lift_flags(int file) {
  constexpr unsigned long kFixed = FS_IMMUTABLE_FL | FS_APPEND_FL;
  int flags = 0;
  if (::ioctl(file, FS_IOC_GETFLAGS, &flags) == -1 || (flags & kFixed) == 0)
    return false;
  flags &= ~static_cast<int>(kFixed);
  return ::ioctl(file, FS_IOC_SETFLAGS, &flags) == 0;
}

bool lift_flags_at(int dir, const std::string& name) {
  const Fd file(
      ::openat(dir, name.c_str(),
               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  const bool own = file && lift_flags(file.get());
  return (dir != AT_FDCWD && lift_flags(dir)) || own;
}

void remove_children(int dir) {
  for (const std::string& name : list_dir(dir)) remove_tree_at(dir, name);
}

}  // namespace

Fd open_path(const std::string& path, int flags, unsigned mode) {
  return openat_path(AT_FDCWD, path, flags, mode);
}

Fd openat_path(int dir, const std::string& path, int flags, unsigned mode) {
  for (;;) {
    const int fd = ::openat(dir, path.c_str(), flags | O_CLOEXEC, mode);
    if (fd == -1 && errno == EINTR) continue;
    return Fd(check(fd, "open", path));
  }
}

std::optional<Fd> try_openat(int dir, const std::string& path, int flags) {
  const int fd = ::openat(dir, path.c_str(), flags | O_CLOEXEC);
  if (fd == -1 && absent(errno)) return std::nullopt;
  return Fd(check(fd, "open", path));
}

Fd open_in_root(int root, const std::string& path, int flags, unsigned mode) {
  return Fd(check(openat2_in_root(root, path, flags, mode), "open", path));
}

std::optional<Fd> try_open_in_root(int root, const std::string& path,
                                   int flags) {
  const int fd = openat2_in_root(root, path, flags, 0);
  if (fd == -1 && absent(errno)) return std::nullopt;
  return Fd(check(fd, "open", path));
}

std::optional<std::string> read_file_at(int dir, const std::string& path) {
  const std::optional<Fd> fd = try_openat(dir, path, O_RDONLY);
  if (!fd) return std::nullopt;
  return read_all(fd->get(), path);
}

std::optional<std::string> read_file(const std::string& path) {
  return read_file_at(AT_FDCWD, path);
}

std::optional<struct stat> lstat_at(int dir, const std::string& name) {
  struct stat st;
  const int rc = ::fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW);
  if (rc == -1 && absent(errno)) return std::nullopt;
  check(rc, "stat", name);
  return st;
}

std::string readlink_at(int dir, const std::string& name) {
  std::string target(256, '\0');
  for (;;) {
    const ssize_t n =
        check(::readlinkat(dir, name.c_str(), target.data(), target.size()),
              "readlink", name);
    if (static_cast<std::size_t>(n) < target.size()) {
      target.resize(static_cast<std::size_t>(n));
      return target;
    }
    target.resize(target.size() * 2);
  }
}

std::vector<std::string> list_dir(int dir) {
  // A fresh description, so that the caller's read position does not matter.
  Fd copy = openat_path(dir, ".", O_RDONLY | O_DIRECTORY);
  std::unique_ptr<DIR, CloseDir> stream(::fdopendir(copy.get()));
  if (!stream) throw_system_error("fdopendir", "");
  copy.release();
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) throw_system_error("readdir", "");
  std::sort(names.begin(), names.end());
  return names;
}

void make_dirs(const std::string& path, unsigned mode) {
  if (::mkdir(path.c_str(), mode) == 0) return;
  if (errno == EEXIST) return;
  if (errno != ENOENT) throw_system_error("mkdir", path);
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos || slash == 0)
    throw_system_error("mkdir", path);
  make_dirs(path.substr(0, slash), mode);
  if (::mkdir(path.c_str(), mode) == -1 && errno != EEXIST)
    throw_system_error("mkdir", path);
}

void remove_tree_at(int dir, const std::string& name) {
  if (::unlinkat(dir, name.c_str(), 0) == 0 || absent(errno)) return;
  const int code = errno;
  if (code == EPERM && lift_flags_at(dir, name))
    return remove_tree_at(dir, name);
  if (code != EISDIR && code != EPERM) throw SystemError(code, "unlink", name);
  if (::unlinkat(dir, name.c_str(), AT_REMOVEDIR) == 0 || absent(errno)) return;
  if (errno != ENOTEMPTY && errno != EEXIST) throw_system_error("rmdir", name);
  // Only root may pass a directory that is closed to its owner; the rmdir said
  // that this is one.
  if (::geteuid() != 0) ::fchmodat(dir, name.c_str(), 0700, 0);
  {
    const std::optional<Fd> child =
        try_openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!child) return;  // removed meanwhile by someone else
    remove_children(child->get());
  }
  if (::unlinkat(dir, name.c_str(), AT_REMOVEDIR) == -1 && !absent(errno))
    throw_system_error("rmdir", name);
}

void remove_tree(const std::string& path) { remove_tree_at(AT_FDCWD, path); }

void replace_file_at(int dir, const std::string& name, std::string_view data,
                     bool durable, unsigned mode) {
  const std::string staged = name + "." + random_hex(8) + ".tmp";
  try {
    Fd out = openat_path(dir, staged, O_WRONLY | O_CREAT | O_EXCL, mode);
    write_all(out.get(), data, name);
    if (durable) check(::fdatasync(out.get()), "sync", name);
    out.close();
    check(::renameat(dir, staged.c_str(), dir, name.c_str()), "rename", name);
  } catch (...) {
    ::unlinkat(dir, staged.c_str(), 0);
    throw;
  }
}

TempDir::TempDir(const std::string& parent, std::string_view prefix) {
  const std::string path = parent + "/" + std::string(prefix) + random_hex(8);
  check(::mkdir(path.c_str(), 0700), "mkdir", path);
  path_ = path;
}

TempDir::TempDir(TempDir&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

TempDir& TempDir::operator=(TempDir&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

TempDir::~TempDir() {
  if (path_.empty()) return;
  try {
    remove_tree(path_);
  } catch (const Error&) {
    // What cannot be removed now is swept by the next start.
  }
}

std::string random_hex(std::size_t bytes) {
  std::string raw(bytes, '\0');
  check(::getrandom(raw.data(), raw.size(), 0), "getrandom", "");
  static constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes * 2);
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return hex;
}

}  // namespace cbuild
