#include "store/reach.h"

#include "base/error.h"
#include "store/layer_meta.h"

namespace cbuild::store {

void Reached::add_image(const BlobStore& blobs_here, ImageLinks& links,
                        const Descriptor& manifest) {
  if (!blobs.insert(manifest.digest).second) return;
  try {
    if (is_index(manifest.media_type)) {
      const auto text = blobs_here.read(manifest.digest);
      if (!text) return;
      for (const Descriptor& entry : parse_index(*text).manifests)
        add_image(blobs_here, links, entry);
      return;
    }
    const Links named = links.of(blobs_here, manifest.digest);
    blobs.insert(named.blobs.begin(), named.blobs.end());
    // Layers of an image have the diffID as id where they were pulled or
    // unpacked. Those that a step made are reached from its record.
    for (const Digest& id : named.diff_ids) layers.insert(id.hex());
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
