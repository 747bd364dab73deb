// Puts a layer's entries on disk as overlayfs wants them. Private to store/.
//
// The index is the truth: what the kernel does not allow here (other owners,
// device nodes, some xattrs without privileges) is held back (held_back.h).
// With all privileges nothing is left out silently.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "store/layer_index.h"
#include "store/parent_dirs.h"

namespace cbuild::store {

class TreeWriter {
 public:
  // `tree` is a directory that only this process uses.
  explicit TreeWriter(int tree);

  // Makes a file; its content comes as blocks at rising offsets.
  void begin_file(const IndexEntry& entry);
  void write(std::string_view data, std::uint64_t offset);
  void end_file(const IndexEntry& entry);

  // Makes what is no regular file and no whiteout, replacing what is there. Of
  // a directory only the name: finish() does the rest.
  void add(const IndexEntry& entry);

  // Whiteouts, opaque marks, and last the directories' owners, modes and times,
  // which everything before would have changed. Returns the directories that no
  // entry describes: they are 0755 and owned by root.
  std::vector<std::string> finish(const LayerIndex& index);

 private:
  void remove(const ParentDirs::Place& place);
  void make(const ParentDirs::Place& place, const IndexEntry& entry);
  void set_attributes(const ParentDirs::Place& place, const IndexEntry& entry);
  void finish_directory(const IndexEntry& entry);

  int tree_;
  ParentDirs parents_;
  Fd file_;
  std::uint64_t written_ = 0;
};

// Gives an open file or directory its owner, mode, xattrs and time.
void apply_attributes(int fd, const IndexEntry& entry);

}  // namespace cbuild::store
