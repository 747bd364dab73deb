// The directory a step writes into while it runs.
//
//   <tmp>/upper   what the step writes; becomes the layer's tree
//   <tmp>/work    overlayfs's own, or a copy of what is below
//
// What take() leaves, or all of it, goes to `disposal`.
#pragma once

#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "builder/copy_files.h"
#include "builder/disposal.h"
#include "runtime/overlay.h"
#include "store/store.h"

namespace cbuild::builder {

class Workspace {
 public:
  // `lowers`: directories below, top first. `kind`: Runner::view(). `kept`: for
  // views that are copies; outlives it.
  Workspace(store::Store& store, Disposal& disposal,
            std::vector<std::string> lowers, runtime::ViewKind kind,
            runtime::KeptTrees& kept);
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  const runtime::OverlaySpec& overlay() const { return overlay_; }
  const std::string& directory() const { return temp_.path(); }

  // Lets `write` write to the merged root; then the upper directory holds what
  // it wrote. At most once, and not beside a Runner.
  void write(const std::function<void(int root)>& write);

  // Indexes what was written and makes it a layer; the workspace is empty then.
  // `copied`: what copy_files() knows of what it put there.
  store::LayerId take(unsigned threads, CopyResult copied = {});

 private:
  store::Store& store_;
  Disposal& disposal_;
  TempDir temp_;
  timespec begun_;
  runtime::OverlaySpec overlay_;
};

}  // namespace cbuild::builder
