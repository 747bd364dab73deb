// Where a process writes what it has not published yet.
//
//   <root>/tmp/<session>/     everything the process stages
//   <root>/locks/<session>    held exclusively while the process lives
//
// The session is made when something is first staged and removed with the last
// store object of the root; a fully cached build never makes one. The lock file
// is there and locked before the directory, so a directory whose lock can be
// had belongs to a dead process. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "store/lock.h"

namespace cbuild::store {

class Staging {
 public:
  // The process's one object for `root`.
  static std::shared_ptr<Staging> of(const std::string& root);
  explicit Staging(std::string root);
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // The session's directory, made on the first call.
  std::string directory();
  // A path in it that names nothing yet.
  std::string fresh();

  // Writes `data` to `path` so that it is the old file or the whole new one;
  // also after a power cut if `durable`.
  void replace(const std::string& path, std::string_view data,
               bool durable = false);
  // The same for a file that may be there often: the old one goes with the
  // session. To unlink it or to rename over it makes ext4 write and free blocks
  // at once (auto_da_alloc, discard), which takes 0.3 ms.
  void exchange(const std::string& path, std::string_view data);

 private:
  template <typename Publish>
  void stage(std::string_view data, const std::string& path, bool durable,
             Publish&& publish);

  std::string root_;
  std::mutex mutex_;
  std::string session_;
  std::optional<FileLock> lock_;
  unsigned long next_ = 0;
};

// Creates the store's directories where they are missing. One system call where
// they are there.
void ensure_layout(const std::string& root);

// Removes what dead processes left in tmp/, and their leases. One system call where it is empty.
void sweep(const std::string& root);

}  // namespace cbuild::store
