#include "runtime/copy_view.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/dir.h"
#include "base/error.h"
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
  for (auto lower = spec_.lowers.rbegin(); lower != spec_.lowers.rend();
       ++lower) {
    const Fd layer = open_path(*lower, O_RDONLY | O_DIRECTORY);
    apply_layer(layer.get(), root.get(), mode);
  }
  if (spec_.upper.empty()) return;
  before_ = remember_tree(root.get());
  // What an earlier run left there (`cbuild debug`) counts as written.
  const Fd upper = open_path(spec_.upper, O_RDONLY | O_DIRECTORY);
  apply_layer(upper.get(), root.get(), mode);
  check(::fchmod(root.get(), 0755), "chmod", root_);  // whatever the umask
}

Fd CopyView::open() {
  const int tree =
      ::open_tree(AT_FDCWD, root_.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (tree == -1) return directory();
  Fd mount(tree);
  if (!spec_.upper.empty()) return mount;
  mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  check(
      ::mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes),
      "mount_setattr", root_);
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
}

}  // namespace cbuild::runtime
