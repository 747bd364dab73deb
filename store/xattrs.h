// Extended attributes of a file on disk. Private to store/.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace cbuild::store {

using Xattrs = std::map<std::string, std::string>;

struct XattrList {
  Xattrs kept;          // what belongs to a layer
  bool opaque = false;  // overlayfs' mark of an opaque directory
};

// Of an open file or directory.
XattrList read_xattrs(int fd);
// Of `name` in `dir`, which may be anything; symbolic links are not followed.
XattrList read_xattrs_at(int dir, const std::string& name);

// Sets them. What the file system or the kernel does not allow here is left
// out: the layer's index has it.
void write_xattrs(int fd, const Xattrs& xattrs);
void write_xattrs_at(int dir, const std::string& name, const Xattrs& xattrs);

// Marks the directory opaque: trusted.overlay.opaque, or user.overlay.opaque
// where only that is allowed (a mount with userxattr reads it).
void mark_opaque(int dir);

// True for the attributes that overlayfs gives a meaning: nothing in a layer
// may bring them along.
bool is_overlay_xattr(std::string_view name);

}  // namespace cbuild::store
