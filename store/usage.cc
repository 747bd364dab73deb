#include "store/usage.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <set>
#include <utility>

#include "base/dir.h"
#include "store/reach.h"

namespace cbuild::store {
namespace {

constexpr std::uint64_t kBlock = 512;  // st_blocks' unit, whatever the disk's

using Seen = std::set<std::pair<dev_t, ino_t>>;

std::uint64_t blocks_of(int dir, const std::string& name, Seen& seen) {
  // A running build may remove what is being counted.
  const auto st = lstat_at(dir, name);
  if (!st) return 0;
  if (st->st_nlink > 1 && !S_ISDIR(st->st_mode) &&
      !seen.insert({st->st_dev, st->st_ino}).second)
    return 0;
  std::uint64_t blocks = static_cast<std::uint64_t>(st->st_blocks);
  if (!S_ISDIR(st->st_mode)) return blocks;
  const auto child = try_openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!child) return blocks;
  for (const std::string& entry : list_dir(child->get()))
    blocks += blocks_of(child->get(), entry, seen);
  return blocks;
}

}  // namespace

std::uint64_t allocated(const std::string& path) {
  Seen seen;
  return blocks_of(AT_FDCWD, path, seen) * kBlock;
}

Usage usage(Store& store) {
  Usage sum;
  sum.blobs = allocated(store.root() + "/blobs");
  sum.layers = allocated(store.root() + "/layers");
  sum.cache_mounts = allocated(store.root() + "/cache-mounts");
  sum.other =
      allocated(store.root()) - sum.blobs - sum.layers - sum.cache_mounts;
  Reached reached;
  for (const NamedImage& image : store.images.list())
    if (!image.name.empty()) reached.add_image(store.blobs, image.manifest);
  for (const Digest& digest : reached.blobs)
    sum.needed += allocated(store.blobs.path(digest));
  for (const LayerId& id : reached.layers)
    sum.needed += allocated(store.layers.directory(id));
  return sum;
}

}  // namespace cbuild::store
