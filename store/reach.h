// What of a store can be reached from its names and records. Private to store/.
#pragma once

#include <set>
#include <vector>

#include "store/image_links.h"
#include "store/store.h"

namespace cbuild::store {

struct Reached {
  std::set<LayerId> layers;
  std::set<Digest> blobs;

  // An image or index: its documents, layer tarballs and layers. What is absent
  // leads nowhere.
  void add_image(const BlobStore& blobs_here, ImageLinks& links,
                 const Descriptor& manifest);
  // A layer that must stay, with the tarballs it is known to have.
  void add_layer(const LayerStore& layers_here, const LayerId& id);
};

}  // namespace cbuild::store
