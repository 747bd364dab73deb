#include "store/lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "base/dir.h"
#include "base/error.h"
#include "store/digest.h"

namespace cbuild::store {
namespace {

struct Range {
  off_t start = 0;
  off_t length = 0;  // 0: to the end, wherever that is
};

// True where the lock was had, false where it is busy (only without waiting).
bool lock(int fd, LockMode mode, int command, const std::string& path,
          Range range = {}) {
  struct flock part = {};
  part.l_type = mode == LockMode::shared ? F_RDLCK : F_WRLCK;
  part.l_whence = SEEK_SET;
  part.l_start = range.start;
  part.l_len = range.length;
  for (;;) {
    if (::fcntl(fd, command, &part) == 0) return true;
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

FileLock FileLock::of_directory(const std::string& path) {
  Fd fd = open_path(path, O_RDONLY | O_DIRECTORY);
  while (::flock(fd.get(), LOCK_EX) == -1)
    if (errno != EINTR) throw_system_error("lock", path);
  return FileLock(std::move(fd));
}

std::optional<FileLock> FileLock::try_lock(const std::string& path,
                                           LockMode mode) {
  return try_lock(open_lock(path), path, mode);
}

std::optional<FileLock> FileLock::try_lock(Fd file, const std::string& path,
                                           LockMode mode) {
  if (!lock(file.get(), mode, F_OFD_SETLK, path)) return std::nullopt;
  return FileLock(std::move(file));
}

std::optional<Claim> Claim::try_claim(const std::string& path,
                                      const std::string& work) {
  const std::string hex = sha256(work).hex().substr(0, 16);
  const auto byte = static_cast<off_t>(std::stoull(hex, nullptr, 16) >> 2);
  Fd fd = open_lock(path);
  if (!lock(fd.get(), LockMode::exclusive, F_OFD_SETLK, path, {byte, 1}))
    return std::nullopt;
  return Claim(std::move(fd));
}

}  // namespace cbuild::store
