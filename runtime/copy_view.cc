#include "runtime/copy_view.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/dir.h"
#include "base/error.h"
#include "runtime/kept_trees.h"
#include "runtime/private_mount.h"
#include "runtime/tree_copy.h"

namespace cbuild::runtime {

CopyView::CopyView(OverlaySpec spec) : spec_(std::move(spec)) {
  // As overlay.h has it: nothing to put together.
  if (spec_.lowers.empty())
    root_ = spec_.upper;
  else if (spec_.upper.empty() && spec_.lowers.size() == 1)
    root_ = spec_.lowers[0];
  else
    fill();
}

void CopyView::fill() {
  root_ = spec_.work + "/merged";
  copied_ = true;
  check(::mkdir(root_.c_str(), 0755), "mkdir", root_);
  const Fd root = open_path(root_, O_RDONLY | O_DIRECTORY);
  const CopyMode mode = spec_.upper.empty() ? CopyMode::link : CopyMode::copy;
  if (!fill_from_kept(root.get()))
    for (auto lower = spec_.lowers.rbegin(); lower != spec_.lowers.rend();
         ++lower)
      apply_layer(open_path(*lower, O_RDONLY | O_DIRECTORY).get(), root.get(),
                  mode);
  if (spec_.upper.empty()) return;
  before_ = remember_tree(root.get());
  // What an earlier run left there (`cbuild debug`) counts as written.
  const Fd upper = open_path(spec_.upper, O_RDONLY | O_DIRECTORY);
  apply_layer(upper.get(), root.get(), mode);
  check(::fchmod(root.get(), 0755), "chmod", root_);  // whatever the umask
}

// The root itself is a fresh one in any case: what a command does to it is gone
// with its step.
bool CopyView::fill_from_kept(int root) {
  if (spec_.kept == nullptr || spec_.upper.empty()) return false;
  const std::optional<TempDir> kept = spec_.kept->take(spec_.lowers);
  if (!kept) return false;
  const Fd tree = open_path(kept->path() + "/tree", O_RDONLY | O_DIRECTORY);
  for (const std::string& name : list_dir(tree.get()))
    move_entry(tree.get(), name, root);
  const Fd top = open_path(spec_.lowers.front(), O_RDONLY | O_DIRECTORY);
  apply_layer(top.get(), root, CopyMode::copy);
  return true;
}

Fd CopyView::open() {
  const int tree =
      ::open_tree(AT_FDCWD, root_.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (tree == -1) return directory();
  Fd mount(tree);
  make_private(tree, spec_.upper.empty() ? MOUNT_ATTR_RDONLY : 0, root_);
  return mount;
}

Fd CopyView::directory() const {
  return open_path(root_, O_RDONLY | O_DIRECTORY);
}

void CopyView::finish() {
  if (!copied_ || spec_.upper.empty()) return;
  const Fd upper = open_path(spec_.upper, O_RDONLY | O_DIRECTORY);
  for (const std::string& name : list_dir(upper.get()))
    remove_tree_at(upper.get(), name);
  const Fd root = open_path(root_, O_RDONLY | O_DIRECTORY);
  move_changes(root.get(), before_, upper.get());
  if (spec_.kept != nullptr)
    spec_.kept->offer(root_, spec_.lowers, spec_.upper);
}

}  // namespace cbuild::runtime
