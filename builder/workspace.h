// The directory a step writes into while it runs.
//
//   <tmp>/upper   what the step writes; becomes the layer's tree
//   <tmp>/work    overlayfs's own, or a copy of what is below
//
// What take() leaves, or all of it, goes to `disposal`.
#pragma once

#include <ctime>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/dir.h"
#include "base/workers.h"
#include "builder/copy_files.h"
#include "builder/disposal.h"
#include "runtime/overlay.h"
#include "store/store.h"

namespace cbuild::builder {

// Makes such directories. To find inodes for one can take ext4 as long as a
// trivial RUN takes in all, so the next is made while a step runs. Any thread.
class StepDirectories {
 public:
  explicit StepDirectories(store::Store& store) : store_(store) {}

  TempDir take();
  // Makes the next one on a thread of its own, beside the step that runs.
  void prepare();

 private:
  TempDir make();

  store::Store& store_;
  std::mutex mutex_;
  std::optional<TempDir> next_;
  Workers worker_{1};
};

class Workspace {
 public:
  // `directory`: of StepDirectories. `lowers`: directories below, top first.
  // `kind`: Runner::view(). `kept`: for views that are copies; outlives it.
  Workspace(store::Store& store, TempDir directory, Disposal& disposal,
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
