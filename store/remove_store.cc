#include "store/remove_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/dir.h"
#include "base/error.h"

namespace cbuild::store {
namespace {

// docs/ARCHITECTURE.md, "The store". The locks go last: until then nobody else
// begins.
constexpr const char* kParts[] = {
    "index.json",  "steps",        "refs",   "contexts",   "failed", "layers",
    "diffs",       "cache-mounts", "logs",   "web",        "git",    "blobs",
    "image-facts", "sizes",        "synced", "oci-layout", "tmp",    "locks"};

}  // namespace

bool remove_store(Store& store) {
  const auto alone = store.leases().sole_use();
  if (!alone) return false;
  const Fd root = open_path(store.root(), O_RDONLY | O_DIRECTORY);
  for (const char* part : kParts) remove_tree_at(root.get(), part);
  // Copies and half-written versions of files beside them.
  for (const std::string& name : list_dir(root.get()))
    for (const char* part : kParts)
      if (name.starts_with(std::string(part) + "."))
        remove_tree_at(root.get(), name);
  if (::rmdir(store.root().c_str()) == -1 && errno != ENOTEMPTY &&
      errno != EEXIST && errno != EBUSY && errno != EACCES && errno != EPERM)
    throw_system_error("rmdir", store.root());
  return true;
}

}  // namespace cbuild::store
