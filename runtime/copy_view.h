// A view of layers made by copying them: needs no mount and no privileges.
//
// What is only read has hard links to the layers' files in place of copies; a
// tree that is written to shares no file with any layer, but for extents that
// the file system copies on write (FICLONE).
// The copy of the step below is taken where there is one (kept_trees.h).
//
// As with overlayfs, names of the layers that are hard links of one file are
// files of their own: changing one leaves the others.
#pragma once

#include <string>

#include "runtime/layer_view.h"
#include "runtime/tree_changes.h"

namespace cbuild::runtime {

class CopyView final : public LayerView {
 public:
  explicit CopyView(OverlaySpec spec);
  Fd open() override;
  void finish() override;

  // As open(), but never a mount of its own: what is renamed must stay on one.
  Fd directory() const;

 private:
  void fill();
  bool fill_from_kept(int root);

  const OverlaySpec spec_;
  std::string root_;  // what open() opens
  bool copied_ = false;
  TreeState before_;  // of the layers below the upper directory
};

}  // namespace cbuild::runtime
