// Layers in their three forms: tree, index and tarball (DESIGN.md section 2 A).
//
//   <root>/layers/<id>/tree/   what overlayfs mounts
//   <root>/layers/<id>/index   store/layer_index.h
//   <root>/layers/<id>/meta    JSON: diffID, and digest and size per
//   compression
//   <root>/layers/empty/tree   an empty directory
//   <root>/diffs/<diffID>      symbolic link, its text the id of a layer that a
//                              step made and that has this diffID
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
#include "store/chain.h"
#include "store/durability.h"
#include "store/image.h"
#include "store/layer_index.h"

namespace cbuild::store {

// The bytes of a layer's tarball were not those of its digest. It has been
// dropped: whoever catches this may fetch it again.
class DamagedBlob : public Error {
 public:
  using Error::Error;
};

// A layer's tarball.
struct LayerBlob {
  Digest diff_id;          // of the uncompressed tar
  Digest digest;           // of the blob
  std::uint64_t size = 0;  // bytes of the blob
  Compression compression = Compression::gzip;
};

struct TarballOptions {
  Compression compression = Compression::gzip;
  // Make it in this compression even where another one is there already.
  bool force = false;
  bool fast = false;     // igzip / zstd -1 in place of the default ratio
  unsigned threads = 1;  // does not influence the bytes
};

class LayerStore {
 public:
  LayerStore(const std::string& root, BlobStore& blobs,
             std::shared_ptr<const Durability> durability);

  // Takes a finished tree (a RUN's upper directory) by rename and the entries
  // of its index, which are written as they come; returns the new layer's id.
  LayerId adopt(const std::string& tree, const EntrySource& entries);

  // Makes known that layer `diff_id` is (or will be) the blob `digest`.
  LayerId add_blob(const Digest& diff_id, const Digest& digest,
                   std::uint64_t size, Compression compression);

  bool exists(const LayerId& id) const;

  // The layer to use for `diff_id`: the one that a step made here where there
  // is one, else its hex, whether that exists or not. A lease of this process
  // keeps it.
  LayerId id_of(const Digest& diff_id) const;

  // Directory to mount. Unpacks the tarball where there is no tree yet:
  // whiteouts become overlay whiteouts; names cannot lead out of the tree.
  // Throws Error where the blob is absent: the caller fetches it first. Throws
  // DamagedBlob, and DigestMismatch where the tarball is not the one of the
  // diffID.
  std::string tree(const LayerId& id);

  // Call before mounting `chain` (lowest first, all with trees). A tarball may
  // hold /a/b without /a; the tree then has a directory /a with mode 0755,
  // which in an overlay would hide what the layers below say of it. This gives
  // such directories the owner, mode and time that they have below. Rarely has
  // anything to do.
  void settle(const std::vector<LayerId>& chain);
  // Whether there is a tree that can be trusted: one of a pulled layer that no
  // sync came after before the machine stopped does not count.
  bool has_tree(const LayerId& id) const;

  // Read once per process and kept; made from the tarball if absent. A layer
  // that a step made and that has neither is dropped: throws Error.
  std::shared_ptr<const LayerIndex> index(const LayerId& id);

  // The tarball, made now if it does not exist: entries in index order, numeric
  // owners only, PAX headers where needed, so the same index gives the same
  // bytes. Where the tarball exists in any compression, that is what comes back
  // unless `options` forces another one: nothing is compressed twice. Throws
  // Error where the layer was pulled and its blob is absent.
  LayerBlob tarball(const LayerId& id, const TarballOptions& options);

  // The tarball where it exists already in that compression (with its blob).
  std::optional<LayerBlob> known_tarball(const LayerId& id,
                                         Compression compression) const;
  // What `meta` says of the layer, whether or not the blob is here.
  std::optional<LayerBlob> recorded_blob(const LayerId& id) const;

  // Sum of file sizes in the layer, in bytes (docker history's SIZE).
  std::uint64_t content_size(const LayerId& id);

  std::vector<LayerId> list() const;
  // Removes all forms but the blobs.
  void remove(const LayerId& id);
  // Does so by one rename into tmp/; what is at the path that comes back, if
  // anything, is the caller's to remove.
  std::string take_away(const LayerId& id);
  // layers/<id>, whether it exists or not.
  std::string directory(const LayerId& id) const;

 private:
  struct State;
  std::string whole_index(const LayerId& id);

  std::shared_ptr<State> state_;
};

}  // namespace cbuild::store
