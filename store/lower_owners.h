// Owners of what a RUN copied up, where the kernel lets us have one id only.
// Private to store/.
#pragma once

#include <sys/stat.h>

#include <map>
#include <string>
#include <vector>

#include "store/layer_index.h"

namespace cbuild::store {

// The trees (layers/<id>/tree) in which a directory is visible, top first.
using LowerTrees = std::vector<const std::string*>;

// A symbolic link or fifo can carry nothing that is held back (held_back.h), so
// overlayfs brings a copy of it up with the wrong owner. Where the same path
// below has the same type and owner on disk, the index beside that tree has the
// right one. Reads each index once. One thread.
class LowerOwners {
 public:
  // `st` is what the entry's own tree has. Does nothing where all privileges
  // are there, and for a lower tree without an index.
  void apply(IndexEntry& entry, const struct stat& st,
             const LowerTrees& lowers);

 private:
  const LayerIndex& index_of(const std::string& tree);

  std::map<std::string, LayerIndex> indexes_;
};

}  // namespace cbuild::store
