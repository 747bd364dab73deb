// Extended attributes of a file on disk. Private to store/.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "store/held_back.h"

namespace cbuild::store {

using Xattrs = std::map<std::string, std::string>;

struct XattrList {
  Xattrs kept;          // what belongs to a layer
  HeldBack held;        // what the file should be
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

// True for the attributes that overlayfs or held_back.h give a meaning: nothing
// in a layer may bring them along.
bool is_reserved_xattr(std::string_view name);

inline constexpr const char* kHeldOwner = "user.cbuild.owner";
inline constexpr const char* kHeldDevice = "user.cbuild.device";
inline constexpr const char* kHeldCapability = "user.cbuild.capability";

// A security.capability of revision 3 is bound to the root of one user
// namespace, which an image knows nothing of: the same in revision 2
// (linux/capability.h). Any other value is returned as it is.
std::string plain_capability(std::string value);

}  // namespace cbuild::store
