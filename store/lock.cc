#include "store/lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/dir.h"
#include "base/error.h"

namespace cbuild::store {
namespace {

// True where the lock was had, false where it is busy (only without waiting).
bool lock(int fd, LockMode mode, int command, const std::string& path) {
  struct flock whole = {};
  whole.l_type = mode == LockMode::shared ? F_RDLCK : F_WRLCK;
  whole.l_whence = SEEK_SET;
  for (;;) {
    if (::fcntl(fd, command, &whole) == 0) return true;
    if (errno == EINTR) continue;
    if (command == F_OFD_SETLK && (errno == EAGAIN || errno == EACCES))
      return false;
    throw_system_error("lock", path);
  }
}

Fd open_lock(const std::string& path) {
  return open_path(path, O_RDWR | O_CREAT, 0600);
}

}  // namespace

FileLock::FileLock(const std::string& path, LockMode mode)
    : held_(open_lock(path)) {
  lock(held_.get(), mode, F_OFD_SETLKW, path);
}

std::optional<FileLock> FileLock::try_lock(const std::string& path,
                                           LockMode mode) {
  Fd fd = open_lock(path);
  if (!lock(fd.get(), mode, F_OFD_SETLK, path)) return std::nullopt;
  return FileLock(std::move(fd));
}

std::optional<Claim> Claim::try_claim(const std::string& path) {
  for (;;) {
    Fd fd = open_lock(path);
    if (!lock(fd.get(), LockMode::exclusive, F_OFD_SETLK, path))
      return std::nullopt;
    // Whoever held it last may have removed the file since it was opened.
    struct stat mine;
    check(::fstat(fd.get(), &mine), "stat", path);
    const auto there = lstat_at(AT_FDCWD, path);
    if (there && there->st_ino == mine.st_ino)
      return Claim(path, std::move(fd));
  }
}

// Removed while it is still held, so that nobody can hold what is gone.
Claim::~Claim() {
  if (held_) ::unlink(path_.c_str());
}

}  // namespace cbuild::store
