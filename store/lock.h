// Locks between processes: OFD locks (fcntl(2) F_OFD_SETLK) on a lock file, and
// flock(2) on directories.
//
// They belong to the open file, so threads of one process exclude each other
// too, and the kernel drops them when the process dies, however it dies.
#pragma once

#include <optional>
#include <string>

#include "base/fd.h"

namespace cbuild::store {

enum class LockMode { shared, exclusive };

// Held until destroyed. The lock file is created if needed and stays.
class FileLock {
 public:
  // Waits for the lock.
  FileLock(const std::string& path, LockMode mode);
  // An exclusive lock on a directory itself (flock(2)), so that no file need be
  // made for it.
  static FileLock of_directory(const std::string& path);
  // nullopt where someone else holds it in a way that excludes `mode`.
  static std::optional<FileLock> try_lock(const std::string& path,
                                          LockMode mode);
  // The same for a file that is open, for writing.
  static std::optional<FileLock> try_lock(Fd file, const std::string& path,
                                          LockMode mode);

  int fd() const { return held_.get(); }

 private:
  explicit FileLock(Fd held) : held_(std::move(held)) {}
  Fd held_;
};

// Says that its holder is doing a certain piece of work: a lock on one byte,
// far behind the end, of a file that all work shares, since a file for each
// piece would be made and removed again. Two pieces have the same byte once in
// 2^62; one then waits for the other.
class Claim {
 public:
  // nullopt where another process or thread does that work.
  static std::optional<Claim> try_claim(const std::string& path,
                                        const std::string& work);

 private:
  explicit Claim(Fd held) : held_(std::move(held)) {}
  Fd held_;
};

}  // namespace cbuild::store
