// What was written to a tree since it was looked at, told by inode and times of
// change alone: no content is read.
//
// Any change of a file sets its ctime, which nobody can set back; a file that
// was replaced has another inode or time of birth. What was looked at and left
// alone may be taken for a change (a link was made to it); who makes the layer
// compares with what is below anyway.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace cbuild::runtime {

// A directory's entries, by name.
struct TreeState {
  struct Entry;
  std::map<std::string, Entry> entries;
};

struct TreeState::Entry {
  std::uint64_t inode = 0;
  std::int64_t birth = 0;    // nanoseconds; 0 where the file system has none
  std::int64_t changed = 0;  // ctime in nanoseconds
  bool directory = false;
  TreeState below;
};

// Returns once a change that comes after it has a later time.
TreeState remember_tree(int root);

// Moves what is new or changed in `root` since then to the empty directory
// `upper` of the same file system, in the form that overlayfs leaves: a
// directory that was made in the place of something else is opaque, and what is
// gone has a whiteout. `root` is of no more use then.
void move_changes(int root, const TreeState& before, int upper);

// Renames the entry `name` of the directory `from` to the directory `to`, also
// without CAP_DAC_OVERRIDE. The mode of `from` may be another then.
void move_entry(int from, const std::string& name, int to);

}  // namespace cbuild::runtime
