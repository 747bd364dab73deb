#include "store/usage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "base/dir.h"
#include "base/error.h"
#include "store/layer_sizes.h"
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

std::uint64_t own_blocks(const std::string& path) {
  const auto st = lstat_at(AT_FDCWD, path);
  return st ? static_cast<std::uint64_t>(st->st_blocks) * kBlock : 0;
}

UsagePart blobs_part(const Store& store, Sizes& folders,
                     const Reached& reached) {
  UsagePart part{.what = "blobs"};
  part.bytes = own_blocks(store.root() + "/blobs") + folders["blobs/sha256"];
  for (const Digest& digest : store.blobs.list()) {
    ++part.count;
    if (!reached.blobs.contains(digest))
      part.reclaimable += allocated(store.blobs.path(digest));
  }
  return part;
}

// Of layers/ without the layers.
std::uint64_t frame_bytes(const Store& store) {
  return own_blocks(store.root() + "/layers") +
         allocated(store.root() + "/layers/empty");
}

UsagePart layers_part(Store& store, const Reached& reached) {
  UsagePart part{.what = "layers", .bytes = frame_bytes(store)};
  for (const auto& [id, bytes] : layer_sizes(store)) {
    ++part.count;
    part.bytes += bytes;
    if (!reached.layers.contains(id)) part.reclaimable += bytes;
  }
  return part;
}

UsagePart folder_part(const std::string& root, const char* folder,
                      const Sizes& folders) {
  UsagePart part{.what = folder};
  const auto dir =
      try_openat(AT_FDCWD, root + "/" + folder, O_RDONLY | O_DIRECTORY);
  if (dir) part.count = list_dir(dir->get()).size();
  const auto known = folders.find(folder);
  part.bytes =
      known != folders.end() ? known->second : allocated(root + "/" + folder);
  return part;
}

// Nothing in them is needed by an image.
const std::set<std::string_view> kAllReclaimable = {
    "cache-mounts", "steps", "contexts", "web", "git", "refs", "logs"};

}  // namespace

std::uint64_t allocated(const std::string& path) {
  Seen seen;
  return blocks_of(AT_FDCWD, path, seen) * kBlock;
}

std::uint64_t Usage::total() const {
  std::uint64_t sum = 0;
  for (const UsagePart& part : parts) sum += part.bytes;
  return sum;
}

std::uint64_t Usage::reclaimable() const {
  std::uint64_t sum = 0;
  for (const UsagePart& part : parts) sum += part.reclaimable;
  return sum;
}

const UsagePart& Usage::part(const std::string& what) const {
  for (const UsagePart& part : parts)
    if (what == part.what) return part;
  throw Error("a store has no " + what);
}

Usage usage(Store& store) {
  Reached reached;
  ImageLinks links(store.root());
  for (const NamedImage& image : store.images.list())
    if (!image.name.empty())
      reached.add_image(store.blobs, links, image.manifest);
  links.save();
  Usage usage;
  Sizes folders = folder_sizes(store);
  usage.parts = {blobs_part(store, folders, reached),
                 layers_part(store, reached)};
  for (const char* folder : {"cache-mounts", "steps", "contexts", "web", "git",
                             "refs", "logs", "tmp"})
    usage.parts.push_back(folder_part(store.root(), folder, folders));
  for (UsagePart& part : usage.parts)
    if (kAllReclaimable.contains(part.what) && part.count != 0)
      part.reclaimable = part.bytes;
  UsagePart other{.what = "other", .bytes = own_blocks(store.root())};
  const Fd root = open_path(store.root(), O_RDONLY | O_DIRECTORY);
  for (const std::string& name : list_dir(root.get()))
    if (std::none_of(usage.parts.begin(), usage.parts.end(),
                     [&](const UsagePart& part) { return name == part.what; }))
      other.bytes += name == "diffs" ? folders["diffs"]
                                     : allocated(store.root() + "/" + name);
  usage.parts.push_back(other);
  return usage;
}

std::uint64_t total_bytes(Store& store) {
  std::uint64_t sum = own_blocks(store.root()) + frame_bytes(store) +
                      own_blocks(store.root() + "/blobs");
  for (const auto& [id, bytes] : layer_sizes(store)) sum += bytes;
  const Sizes folders = folder_sizes(store);
  for (const auto& [folder, bytes] : folders) sum += bytes;
  const Fd root = open_path(store.root(), O_RDONLY | O_DIRECTORY);
  for (const std::string& name : list_dir(root.get()))
    if (name != "layers" && name != "blobs" && !folders.contains(name))
      sum += allocated(store.root() + "/" + name);
  return sum;
}

DiskSpace disk_space(const Store& store) {
  struct statvfs fs;
  check(::statvfs(store.root().c_str(), &fs), "statvfs", store.root());
  return {std::uint64_t{fs.f_blocks} * fs.f_frsize,
          std::uint64_t{fs.f_bavail} * fs.f_frsize};
}

}  // namespace cbuild::store
