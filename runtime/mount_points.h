// The mount points that every sandbox needs, as a directory to put below the
// layers of an image.
//
// An image need not have /proc or /etc/hosts. Making them in the upper
// directory of each RUN, and removing them again, costs a dozen new and dead
// inodes a step, the largest part of what a RUN costs on ext4. As the lowest
// layer they are there wherever the image has nothing to say, and nothing is
// written.
//
// Only for stacks on the same file system: overlayfs then shows the inode
// numbers of the layers, by which comes_from() tells.
#pragma once

#include <sys/stat.h>

#include <set>
#include <string>

#include "runtime/overlay.h"

namespace cbuild::runtime {

class MountPoints {
 public:
  // Makes `directory` and what it holds where they are missing. Any number of
  // processes may use the same. Throws SystemError.
  explicit MountPoints(std::string directory);

  // `spec` with the mount points below its layers; as it is where it has no
  // layers, they are on another file system or are not seen by overlayfs.
  OverlaySpec below(OverlaySpec spec) const;

  // Whether an entry of a stack that below() made is one of these.
  bool comes_from(const struct stat& entry) const {
    return inodes_.contains(entry.st_ino);
  }

 private:
  std::string directory_;
  dev_t device_;
  std::set<ino_t> inodes_;
};

}  // namespace cbuild::runtime
