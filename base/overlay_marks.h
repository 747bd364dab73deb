// What overlayfs understands in a layer's tree: whiteouts and opaque
// directories (kernel documentation, overlayfs.rst). Throws SystemError.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>

namespace cbuild {

// Whether `name` in `dir`, which is `st`, says that the layers below have no
// such path: a character device 0/0, or an empty file with an attribute.
bool is_whiteout_at(int dir, const std::string& name, const struct stat& st);
bool is_whiteout(const std::string& path, const struct stat& st);

// Makes one. On a file system that refuses the device (an overlayfs) it is an
// empty file with user.overlay.whiteout, which overlayfs understands from Linux
// 6.7 on.
void make_whiteout_at(int dir, const std::string& name);

bool is_opaque(int dir);

// Marks the directory opaque for a mount with userxattr, user.overlay.opaque;
// on a file system without user.* attributes trusted.overlay.opaque.
void mark_opaque(int dir);

// True for attributes that overlayfs or fuse-overlayfs give a meaning.
bool is_overlay_xattr(std::string_view name);

}  // namespace cbuild
