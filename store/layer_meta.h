// The file layers/<id>/meta. Private to store/.
//
// JSON: {"diffID": ..., "blobs": [{"digest", "size", "compression"}...],
// "implied": [path...], "tree": birth}. A file that does not parse reads as
// empty: all that is lost is knowledge that can be had again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/durability.h"
#include "store/layer_store.h"
#include "store/staging.h"

namespace cbuild::store {

struct LayerMeta {
  std::optional<Digest> diff_id;
  std::vector<LayerBlob> blobs;      // newest last
  std::vector<std::string> implied;  // see LayerContent::implied
  // When the tree was whole. A layer that a step made has none until it has a
  // tarball: the step's record vouches for it.
  std::optional<Birth> tree;

  // Puts `blob` last.
  void add(const LayerBlob& blob);
  // True where the layer came as a tarball and was not made here.
  bool pulled(const LayerId& id) const {
    return diff_id && diff_id->hex() == id;
  }
};

// `directory` is layers/<id>.
LayerMeta read_meta(const std::string& directory);
void write_meta(const std::string& directory, const LayerMeta& meta,
                Staging& staging);

}  // namespace cbuild::store
