#include <algorithm>
#include <set>

#include "base/text.h"
#include "store/image_store.h"

// Finding an image by id, and reading its documents.

namespace cbuild::store {
namespace {

class AbsentDocument : public Error {
 public:
  using Error::Error;
};

constexpr std::string_view kPrefix = "sha256:";
constexpr std::size_t kShortestId = 4;

std::string read_blob(const BlobStore& blobs, const Descriptor& descriptor,
                      const char* what) {
  std::optional<std::string> data = blobs.read(descriptor.digest);
  if (!data)
    throw AbsentDocument(std::string(what) + " " + descriptor.digest.text() +
                         " is not in the store");
  return std::move(*data);
}

// Attestations are entries for a platform that does not exist.
bool runnable(const Descriptor& descriptor) {
  return !descriptor.platform || descriptor.platform->os != "unknown";
}

// The entry of an index for `want`; entries whose manifest is here come first,
// because an archive may hold only some of an index's images.
Descriptor choose(const BlobStore& blobs, const Index& index,
                  const Platform& want) {
  for (const bool present : {true, false}) {
    std::vector<const Descriptor*> entries;
    std::vector<Platform> platforms;
    for (const Descriptor& entry : index.manifests) {
      if (!runnable(entry)) continue;
      if (present && !blobs.size(entry.digest)) continue;
      entries.push_back(&entry);
      platforms.push_back(entry.platform.value_or(want));
    }
    const int best = best_match(platforms, want);
    if (best >= 0) return *entries[static_cast<std::size_t>(best)];
  }
  std::set<std::string> offered;
  for (const Descriptor& entry : index.manifests)
    if (runnable(entry) && entry.platform)
      offered.insert(entry.platform->text());
  throw Error("the image has no " + want.text() + ", only " +
              join({offered.begin(), offered.end()}, ", "));
}

// Digests an image answers to: its manifest's, and its config's, which is what
// docker shows as the image id. Of an index: those of all its images here.
void collect_ids(const BlobStore& blobs, const Descriptor& entry,
                 std::set<Digest>& ids) {
  ids.insert(entry.digest);
  const std::optional<std::string> text = blobs.read(entry.digest);
  if (!text) return;
  if (!is_index(entry.media_type)) {
    ids.insert(parse_manifest(*text).config.digest);
    return;
  }
  for (const Descriptor& child : parse_index(*text).manifests)
    if (runnable(child) && !is_index(child.media_type))
      collect_ids(blobs, child, ids);
}

}  // namespace

std::optional<Descriptor> ImageStore::find_by_id(std::string_view id) const {
  std::string prefix(id);
  if (prefix.starts_with(kPrefix)) prefix.erase(0, kPrefix.size());
  const bool hex =
      prefix.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!hex || prefix.size() < kShortestId || prefix.size() > 64)
    return std::nullopt;
  std::optional<Descriptor> found;
  for (const NamedImage& image : list()) {
    std::set<Digest> ids;
    collect_ids(blobs_, image.manifest, ids);
    const bool matches =
        std::any_of(ids.begin(), ids.end(),
                    [&](const auto& d) { return d.hex().starts_with(prefix); });
    if (!matches) continue;
    if (found && found->digest != image.manifest.digest)
      throw Error("image id " + std::string(id) +
                  " is ambiguous: give more digits");
    found = image.manifest;
  }
  return found;
}

std::optional<Image> ImageStore::try_load(
    const Descriptor& descriptor, std::optional<Platform> platform) const {
  try {
    return load(descriptor, std::move(platform));
  } catch (const AbsentDocument&) {
    return std::nullopt;
  }
}

Image ImageStore::load(const Descriptor& descriptor,
                       std::optional<Platform> platform) const {
  hold(descriptor);
  Descriptor chosen = descriptor;
  // An index may hold an index; a chain longer than this is an attack.
  for (int depth = 0; is_index(chosen.media_type); ++depth) {
    if (depth == 4) throw Error("image indexes are nested too deeply");
    const Index index = parse_index(read_blob(blobs_, chosen, "image index"));
    chosen = choose(blobs_, index, platform ? *platform : host_platform());
  }
  Manifest manifest =
      parse_manifest(read_blob(blobs_, chosen, "image manifest"));
  ImageConfig config =
      parse_image_config(read_blob(blobs_, manifest.config, "image config"));
  return {std::move(chosen), std::move(manifest), std::move(config)};
}

}  // namespace cbuild::store
