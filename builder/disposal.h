// Removes the directories that steps are done with, on threads of its own.
//
// What a step of ours leaves is overlayfs's work directory: six inodes and no
// data. Those wait until the last step has run: ext4 without a journal passes
// over each inode that was removed in the last minutes when it looks for a free
// one (recently_deleted() in fs/ext4/ialloc.c), so that fifty RUNs spent a
// third of their time there. Whatever holds more is removed at once.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "base/dir.h"
#include "base/workers.h"

namespace cbuild::builder {

// Any thread. The destructor waits until all is removed.
class Disposal {
 public:
  ~Disposal();
  void take(TempDir directory);
  // No step runs any more: begins to remove what waits.
  void begin();

 private:
  std::mutex mutex_;
  std::vector<TempDir> small_;
  Workers large_workers_{1};
  // Each directory is a block that ext4 frees, and without a journal but with
  // the mount option `discard` it waits for the disk to do so.
  Workers small_workers_{8};
};

}  // namespace cbuild::builder
