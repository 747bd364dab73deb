// The directory a step writes into while it runs.
//
//   <tmp>/upper   what the step writes; becomes the layer's tree
//   <tmp>/work    overlayfs's own
//
// Removed with all it holds unless take() made a layer of it.
#pragma once

#include <string>
#include <vector>

#include "runtime/overlay.h"
#include "store/store.h"

namespace cbuild::builder {

class Workspace {
 public:
  // `lowers`: directories below, top first.
  Workspace(store::Store& store, std::vector<std::string> lowers);

  const runtime::OverlaySpec& overlay() const { return overlay_; }
  const std::string& directory() const { return temp_.path(); }

  // The merged root, for writing.
  Fd mount() const;

  // Indexes what was written and makes it a layer; the workspace is empty then.
  store::LayerId take(unsigned threads);

 private:
  store::Store& store_;
  TempDir temp_;
  runtime::OverlaySpec overlay_;
};

}  // namespace cbuild::builder
