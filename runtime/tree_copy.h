// Copies trees with all that a layer can hold: owners, modes, times, devices,
// extended attributes, holes. Throws SystemError. Any thread.
#pragma once

#include <sys/stat.h>

#include <string>

namespace cbuild::runtime {

enum class CopyMode {
  copy,     // files of its own
  link,     // hard links where they can be had: for what is only read
  scratch,  // as copy, but what cannot be given to its owner stays ours
};

// Puts what `layer` holds, a tree as overlayfs leaves it in an upper directory,
// over what is in `root`: as overlayfs would show them, but for hard links,
// which become files of their own.
void apply_layer(int layer, int root, CopyMode mode);

// A file, link, device, fifo or socket of `layer` to `to`, which has no such
// name.
void copy_entry_of_layer(int layer, const std::string& name, int to);

// A copy of the open file `file`, which is `st`, as `name` in `dir`; what
// cannot be given to its owner stays ours.
void copy_file(int file, const struct stat& st, int dir,
               const std::string& name);

// Owner, mode, extended attributes without overlayfs's own, and times of the
// open directory `from`, which is `st`, to the open directory `to`.
void copy_directory_attributes(int from, const struct stat& st, int to,
                               CopyMode mode = CopyMode::copy);

}  // namespace cbuild::runtime
