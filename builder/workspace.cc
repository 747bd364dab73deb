#include "builder/workspace.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/dir.h"
#include "builder/layer_notes.h"
#include "runtime/layer_view.h"

namespace cbuild::builder {

Workspace::Workspace(store::Store& store, Disposal& disposal,
                     std::vector<std::string> lowers, runtime::ViewKind kind,
                     runtime::KeptTrees& kept)
    : store_(store), disposal_(disposal), temp_(store.temp_dir("step-")) {
  ::clock_gettime(CLOCK_REALTIME, &begun_);
  overlay_.lowers = std::move(lowers);
  overlay_.kind = kind;
  overlay_.kept = &kept;
  overlay_.upper = temp_.path() + "/upper";
  overlay_.work = temp_.path() + "/work";
  // The upper directory is the root of the image: its mode must not depend on
  // the caller's umask.
  check(::mkdir(overlay_.upper.c_str(), 0755), "mkdir", overlay_.upper);
  check(::chmod(overlay_.upper.c_str(), 0755), "chmod", overlay_.upper);
  check(::mkdir(overlay_.work.c_str(), 0700), "mkdir", overlay_.work);
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
