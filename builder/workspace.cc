#include "builder/workspace.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <utility>

#include "base/dir.h"
#include "builder/layer_notes.h"
#include "builder/stand_back.h"
#include "runtime/layer_view.h"

namespace cbuild::builder {

TempDir StepDirectories::make() {
  TempDir directory = store_.temp_dir("step-");
  // The upper directory is the root of the image: its mode must not depend on
  // the caller's umask.
  const std::string upper = directory.path() + "/upper";
  check(::mkdir(upper.c_str(), 0755), "mkdir", upper);
  check(::chmod(upper.c_str(), 0755), "chmod", upper);
  const std::string work = directory.path() + "/work";
  check(::mkdir(work.c_str(), 0700), "mkdir", work);
  return directory;
}

TempDir StepDirectories::take() {
  {
    const std::lock_guard lock(mutex_);
    if (next_) return *std::exchange(next_, std::nullopt);
  }
  return make();
}

// Where it fails, so will take(), and says so.
void StepDirectories::prepare() {
  worker_.submit([this] {
    stand_back();
    TempDir made = make();
    const std::lock_guard lock(mutex_);
    if (!next_) next_ = std::move(made);
  });
}

Workspace::Workspace(store::Store& store, TempDir directory, Disposal& disposal,
                     std::vector<std::string> lowers, runtime::ViewKind kind,
                     runtime::KeptTrees& kept)
    : store_(store), disposal_(disposal), temp_(std::move(directory)) {
  ::clock_gettime(CLOCK_REALTIME, &begun_);
  overlay_.lowers = std::move(lowers);
  overlay_.kind = kind;
  overlay_.kept = &kept;
  overlay_.upper = temp_.path() + "/upper";
  overlay_.work = temp_.path() + "/work";
}

Workspace::~Workspace() {
  try {
    disposal_.take(std::move(temp_));
  } catch (const Error&) {
    // It could not be looked into, and is gone already.
  }
}

void Workspace::write(const std::function<void(int root)>& write) {
  if (overlay_.lowers.empty())
    return write(open_path(overlay_.upper, O_RDONLY | O_DIRECTORY).get());
  const auto view = runtime::make_view(overlay_);
  write(view->open().get());
  view->finish();
}

store::LayerId Workspace::take(unsigned threads, CopyResult copied) {
  const Fd tree = open_path(overlay_.upper, O_RDONLY | O_DIRECTORY);
  LayerNotes notes(tree.get());
  copied.contents.seal();
  const store::ScanOptions options{threads, &copied.contents, begun_};
  const store::LayerId layer =
      store_.layers.adopt(overlay_.upper, [&](const store::EntrySink& take) {
        store::scan_tree(tree.get(), overlay_.lowers, options,
                         [&](store::IndexEntry&& entry) {
                           store::apply_held_back(copied.held, entry);
                           notes.add(entry);
                           take(std::move(entry));
                         });
      });
  notes.tell();
  return layer;
}

}  // namespace cbuild::builder
