#include "store/oci_layout.h"

#include <fcntl.h>

#include "base/dir.h"
#include "base/error.h"
#include "store/index_json.h"
#include "store/json.h"

namespace cbuild::store {
namespace {

constexpr int kDeepest = 4;  // an index in an index in ...
constexpr std::size_t kBufferSize = 1024 * 1024;

}  // namespace

OciLayout::OciLayout(std::string directory) : directory_(std::move(directory)) {
  const auto text = read_file(directory_ + "/index.json");
  if (!text || !read_file(directory_ + "/oci-layout"))
    throw Error(directory_ + " is no OCI image layout");
  index_ = in_context(directory_ + "/index.json",
                      [&] { return parse_index(*text); });
}

std::optional<std::string> OciLayout::read(const Digest& digest) const {
  auto data = read_file(directory_ + "/blobs/sha256/" + digest.hex());
  if (data && sha256(*data) != digest)
    throw DigestMismatch(digest, sha256(*data));
  return data;
}

std::optional<Descriptor> OciLayout::find(const std::string& tag) const {
  for (const Descriptor& entry : index_.manifests) {
    const auto name = entry.annotations.find(kRefName);
    if (name != entry.annotations.end() && name->second == tag) return entry;
  }
  return std::nullopt;
}

std::optional<Descriptor> OciLayout::find(const Digest& digest) const {
  for (const Descriptor& entry : index_.manifests)
    if (entry.digest == digest) return entry;
  const auto text = read(digest);
  if (!text) return std::nullopt;
  Descriptor found{.digest = digest};
  found.size = text->size();
  const bool index = member(parse_object(*text, "image index"), "manifests");
  found.media_type =
      index ? parse_index(*text).media_type : parse_manifest(*text).media_type;
  return found;
}

void OciLayout::copy_documents(Store& store, const Descriptor& descriptor,
                               int depth) const {
  const auto text = read(descriptor.digest);
  if (!text) throw Error(directory_ + " lacks " + descriptor.digest.text());
  store.blobs.put(*text, descriptor.digest);
  if (!is_index(descriptor.media_type)) {
    const Manifest manifest = parse_manifest(*text);
    const auto config = read(manifest.config.digest);
    if (!config)
      throw Error(directory_ + " lacks " + manifest.config.digest.text());
    store.blobs.put(*config, manifest.config.digest);
    return;
  }
  if (depth == kDeepest) throw Error("image indexes are nested too deeply");
  // A layout may hold some of an index's images only.
  for (const Descriptor& child : parse_index(*text).manifests)
    if (read(child.digest)) copy_documents(store, child, depth + 1);
}

Image OciLayout::load(Store& store, const Descriptor& descriptor,
                      const Platform& platform) const {
  copy_documents(store, descriptor, 0);
  return store.images.load(descriptor, platform);
}

void OciLayout::copy_layers(Store& store, const Image& image) const {
  std::string buffer(kBufferSize, '\0');
  for (const Descriptor& layer : image.manifest.layers) {
    if (store.blobs.hold(layer.digest)) continue;
    const std::string path = directory_ + "/blobs/sha256/" + layer.digest.hex();
    const Fd blob = open_path(path, O_RDONLY);
    BlobWriter writer = store.blobs.writer();
    while (const std::size_t n =
               read_some(blob.get(), buffer.data(), buffer.size(), path))
      writer.write({buffer.data(), n});
    writer.commit(layer.digest);
  }
}

}  // namespace cbuild::store
