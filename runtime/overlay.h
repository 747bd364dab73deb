// Detached overlay mounts: a stack of directories as one, seen by descriptor.
//
// The mount is made with fsopen/fsconfig/fsmount (Linux 5.2) and attached
// nowhere: it is reached through its descriptor (openat2 with it as root) or
// moved into a container's mount namespace, and is gone when the last
// descriptor closes, whatever happens to the process.
//
// Options: redirect_dir=off, metacopy=off, index=off, xino=off, and volatile
// where there is an upper directory: its work directory must then be fresh.
// userxattr where the file system has user.* attributes: store/ marks opaque
// directories in the same way.
// Layers are given one by one (lowerdir+, Linux 6.8) or, before that, as short
// relative paths in one page of options; 500 of them work either way.
// Any thread. Throws SystemError, and IsolationError where no overlay can be
// mounted at all.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace cbuild::runtime {

// The kernel or its configuration does not let us isolate: exit code 7.
class IsolationError : public Error {
 public:
  using Error::Error;
};

// How layers become one directory (layer_view.h).
enum class ViewKind {
  overlay,  // the kernel's overlayfs
  fuse,     // the program fuse-overlayfs, in a user namespace only
  copy,     // a copy of all of them for each step
};

class KeptTrees;

struct OverlaySpec {
  std::vector<std::string> lowers;  // directories, top first
  std::string upper;                // empty: a read-only mount
  std::string work;                 // with `upper`: empty, same file system
  ViewKind kind = ViewKind::overlay;
  // Where a view that is a copy looks for one and leaves its own; may be null.
  KeptTrees* kept = nullptr;
};

// The root of the mounted stack. With no lower the upper directory itself is
// cloned (open_tree); with one lower and no upper, that one, read-only.
Fd mount_overlay(const OverlaySpec& spec);

// How mount_overlay() does it where the kernel has no lowerdir+; by itself for
// the tests only. At least one lower, and two where there is no upper.
Fd mount_overlay_by_page(const OverlaySpec& spec);

}  // namespace cbuild::runtime
