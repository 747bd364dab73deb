// Removes the directories that steps are done with, on a thread of its own.
//
// What a step of ours leaves is overlayfs's work directory: six inodes and no
// data. Those wait until the end: ext4 passes over each inode that was removed
// in the last five seconds when it looks for a free one (recently_deleted() in
// fs/ext4/ialloc.c), so that fifty RUNs spent a third of their time there.
// Whatever holds more is removed at once.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "base/dir.h"
#include "base/workers.h"

namespace cbuild::builder {

// Any thread. The destructor removes what is left.
class Disposal {
 public:
  void take(TempDir directory);

 private:
  std::mutex mutex_;
  std::vector<TempDir> small_;
  Workers workers_{1};
};

}  // namespace cbuild::builder
