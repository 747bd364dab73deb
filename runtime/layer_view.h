// Layers seen as one directory, with what is written to it set apart.
//
//   overlay   overlay.h: nothing is copied
//   fuse      the program fuse-overlayfs, for a user namespace in which the
//             kernel's overlayfs is refused
//   copy      all layers copied for each step, and compared afterwards
//
// Whichever it is, after finish() the upper directory is what overlayfs would
// have left there: what is new or changed, whiteouts, opaque directories.
#pragma once

#include <memory>

#include "runtime/overlay.h"

namespace cbuild::runtime {

// One step's. One thread. Where it is thrown away without finish(), the upper
// directory is worth nothing.
class LayerView {
 public:
  virtual ~LayerView() = default;

  // The root: a detached mount, or a plain directory where nothing may be
  // mounted. To be closed before finish() and before the view goes.
  virtual Fd open() = 0;
  // Once nobody writes any more.
  virtual void finish() {}
};

// Of `spec.kind`. Views other than overlay keep files below `spec.work`, which
// belongs to the caller and is needed without an upper directory too. Throws
// what mount_overlay() does.
std::unique_ptr<LayerView> make_view(const OverlaySpec& spec);

}  // namespace cbuild::runtime
