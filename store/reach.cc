#include "store/reach.h"

#include "base/error.h"
#include "store/layer_meta.h"

namespace cbuild::store {
namespace {

// Layers of an image have the diffID as id where they were pulled or unpacked.
// Those that a step made are reached from its record.
void add_manifest(const BlobStore& blobs, const std::string& text,
                  Reached& reached) {
  const Manifest manifest = parse_manifest(text);
  reached.blobs.insert(manifest.config.digest);
  for (const Descriptor& layer : manifest.layers)
    reached.blobs.insert(layer.digest);
  const auto config = blobs.read(manifest.config.digest);
  if (!config) return;
  for (const Digest& id : parse_image_config(*config).diff_ids)
    reached.layers.insert(id.hex());
}

}  // namespace

void Reached::add_image(const BlobStore& blobs_here,
                        const Descriptor& manifest) {
  const bool known = !blobs.insert(manifest.digest).second;
  const auto text = known ? std::nullopt : blobs_here.read(manifest.digest);
  if (!text) return;
  try {
    if (!is_index(manifest.media_type)) {
      add_manifest(blobs_here, *text, *this);
      return;
    }
    for (const Descriptor& entry : parse_index(*text).manifests)
      add_image(blobs_here, entry);
  } catch (const SystemError&) {
    throw;
  } catch (const Error&) {
    // No image document (an attestation, say): it stays, and leads nowhere.
  }
}

void Reached::add_layer(const LayerStore& layers_here, const LayerId& id) {
  if (!layers.insert(id).second) return;
  for (const LayerBlob& blob : read_meta(layers_here.directory(id)).blobs)
    blobs.insert(blob.digest);
}

}  // namespace cbuild::store
