// Layers in their three forms: tree, index and tarball (DESIGN.md section 2 A).
//
//   <root>/layers/<id>/tree/   what overlayfs mounts
//   <root>/layers/<id>/index   store/layer_index.h
//   <root>/layers/<id>/meta    JSON: diffID, and digest and size per compression
//   <root>/layers/empty/tree   an empty directory
//
// A layer of a pulled or loaded image has the hex of its diffID as id, and its
// tarball in blobs/ exactly as it came. A layer that a step made has a random
// id; its tarball is made when something asks for it, once. A form is staged in
// tmp/ and renamed, so it is there whole or not at all; any number of processes
// may ask for the same form. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/blob_store.h"
#include "store/image.h"
#include "store/layer_index.h"

namespace cbuild::store {

using LayerId = std::string;

// A layer's tarball.
struct LayerBlob {
  Digest diff_id;   // of the uncompressed tar
  Digest digest;    // of the blob
  std::uint64_t size = 0;  // bytes of the blob
  Compression compression = Compression::gzip;
};

struct TarballOptions {
  Compression compression = Compression::gzip;
  bool fast = false;     // igzip / zstd -1 in place of the default ratio
  unsigned threads = 1;  // does not influence the bytes
};

class LayerStore {
 public:
  LayerStore(const std::string& root, BlobStore& blobs);

  // Takes a finished tree (a RUN's upper directory) by rename and its index;
  // returns the new layer's id.
  LayerId adopt(const std::string& tree, const LayerIndex& index);

  // Makes known that layer `diff_id` is (or will be) the blob `digest`.
  LayerId add_blob(const Digest& diff_id, const Digest& digest,
                   std::uint64_t size, Compression compression);

  bool exists(const LayerId& id) const;

  // Directory to mount. Unpacks the tarball where there is no tree yet:
  // whiteouts become overlay whiteouts; names cannot lead out of the tree.
  // Throws Error where the blob is absent: the caller fetches it first.
  std::string tree(const LayerId& id);
  bool has_tree(const LayerId& id) const;

  // Read once per process and kept; made from the tree or tarball if absent.
  std::shared_ptr<const LayerIndex> index(const LayerId& id);

  // The tarball, made now if it does not exist: entries in index order, numeric
  // owners only, PAX headers where needed, so the same index gives the same
  // bytes. Where any compression of the layer exists and `options` does not ask
  // for another one, that is what comes back: nothing is compressed twice.
  LayerBlob tarball(const LayerId& id, const TarballOptions& options);

  // The tarball where it exists already in that compression (with its blob).
  std::optional<LayerBlob> known_tarball(const LayerId& id,
                                         Compression compression) const;
  // What `meta` says of the layer, whether or not the blob is here.
  std::optional<LayerBlob> recorded_blob(const LayerId& id) const;

  // Sum of file sizes in the layer, in bytes (docker history's SIZE).
  std::uint64_t content_size(const LayerId& id);

  std::vector<LayerId> list() const;
  void remove(const LayerId& id);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace cbuild::store
