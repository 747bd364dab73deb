#include "store/image_store.h"

#include <algorithm>

#include "base/dir.h"
#include "base/text.h"
#include "store/index_json.h"
#include "store/lock.h"

namespace cbuild::store {
namespace {

// Takes the name off whatever has it. An image without any other entry keeps
// this one as a dangling one.
bool drop_name(Index& index, const std::string& full) {
  const auto found = std::find_if(
      index.manifests.begin(), index.manifests.end(),
      [&](const Descriptor& entry) { return name_of(entry) == full; });
  if (found == index.manifests.end()) return false;
  found->annotations.erase(kRefName);
  found->annotations.erase(kFullName);
  const auto same = std::count_if(
      index.manifests.begin(), index.manifests.end(),
      [&](const Descriptor& entry) { return entry.digest == found->digest; });
  if (same > 1) index.manifests.erase(found);
  return true;
}

void add_name(Index& index, const ImageStore::Name& name, Descriptor entry) {
  drop_name(index, name.full);
  std::erase_if(index.manifests, [&](const Descriptor& other) {
    return other.digest == entry.digest && name_of(other).empty();
  });
  entry.annotations[kRefName] = name.familiar;
  entry.annotations[kFullName] = name.full;
  index.manifests.push_back(std::move(entry));
}

bool points_at(const Index& index, const ImageStore::Name& name,
               const Digest& manifest) {
  return std::any_of(index.manifests.begin(), index.manifests.end(),
                     [&](const Descriptor& entry) {
                       const auto ref = entry.annotations.find(kRefName);
                       return entry.digest == manifest &&
                              name_of(entry) == name.full &&
                              ref != entry.annotations.end() &&
                              ref->second == name.familiar;
                     });
}

std::string lease_name(const Descriptor& image) {
  return (is_index(image.media_type) ? "indexes/" : "images/") +
         image.digest.text();
}

Descriptor bare(Descriptor descriptor) {
  descriptor.annotations.erase(kRefName);
  descriptor.annotations.erase(kFullName);
  return descriptor;
}

}  // namespace

std::string name_of(const Descriptor& entry) {
  const auto full = entry.annotations.find(kFullName);
  if (full != entry.annotations.end()) return full->second;
  const auto ref = entry.annotations.find(kRefName);
  return ref == entry.annotations.end() ? "" : full_name(ref->second);
}

std::string full_name(const std::string& familiar) {
  const std::size_t slash = familiar.find('/');
  const std::string host = familiar.substr(0, slash);
  std::string full = familiar;
  if (slash == std::string::npos)
    full = "docker.io/library/" + familiar;
  else if (host.find_first_of(".:") == std::string::npos && host != "localhost")
    full = "docker.io/" + familiar;
  const std::size_t last = full.rfind('/');
  return full.find(':', last) == std::string::npos ? full + ":latest" : full;
}

ImageStore::ImageStore(const std::string& root, BlobStore& blobs)
    : root_(root),
      blobs_(blobs),
      staging_(Staging::of(root)),
      leases_(Leases::of(root)) {}

void ImageStore::hold(const Descriptor& manifest) const {
  leases_->hold(lease_name(manifest));
}

std::vector<NamedImage> ImageStore::list() const {
  std::vector<NamedImage> images;
  for (Descriptor& entry : read_index_json(root_).manifests) {
    const auto ref = entry.annotations.find(kRefName);
    const std::string familiar =
        ref == entry.annotations.end() ? "" : ref->second;
    images.push_back({name_of(entry), familiar, bare(std::move(entry))});
  }
  return images;
}

std::optional<Descriptor> ImageStore::find(const std::string& name) const {
  // The last one wins, should another program have left two.
  std::optional<Descriptor> found;
  for (const Descriptor& entry : read_index_json(root_).manifests)
    if (name_of(entry) == name) found = bare(entry);
  return found;
}

void ImageStore::tag(const std::vector<Name>& names,
                     const Descriptor& manifest) {
  // Until the name is there prune must not take the image for one without.
  Leases::Looking looking(*leases_);
  looking.hold(lease_name(manifest));
  const FileLock lock(root_ + "/locks/index", LockMode::exclusive);
  Index index = read_index_json_locked(root_);
  bool changed = false;
  for (const Name& name : names) {
    if (points_at(index, name, manifest.digest)) continue;
    add_name(index, name, bare(manifest));
    changed = true;
  }
  const bool known = std::any_of(
      index.manifests.begin(), index.manifests.end(),
      [&](const Descriptor& entry) { return entry.digest == manifest.digest; });
  if (names.empty() && !known) {
    index.manifests.push_back(bare(manifest));
    changed = true;
  }
  if (changed) write_index_json(root_, index);
}

bool ImageStore::untag(const std::string& name) {
  const FileLock lock(root_ + "/locks/index", LockMode::exclusive);
  Index index = read_index_json_locked(root_);
  if (!drop_name(index, name)) return false;
  write_index_json(root_, index);
  return true;
}

void ImageStore::remove(const Digest& manifest) {
  const FileLock lock(root_ + "/locks/index", LockMode::exclusive);
  Index index = read_index_json_locked(root_);
  const auto removed = std::erase_if(
      index.manifests,
      [&](const Descriptor& entry) { return entry.digest == manifest; });
  if (removed > 0) write_index_json(root_, index);
}

}  // namespace cbuild::store
