// What LayerStore consists of. Private to store/.
//
//   layer_store.cc   what callers ask for
//   layer_forms.cc   making one form from another, and whom to believe
#pragma once

#include <map>
#include <mutex>
#include <set>

#include "store/layer_io.h"
#include "store/layer_meta.h"
#include "store/lease.h"
#include "store/lock.h"

namespace cbuild::store {

struct LayerStore::State {
  std::string root;
  BlobStore& blobs;
  std::shared_ptr<const Durability> durability;
  std::shared_ptr<Staging> staging;
  std::shared_ptr<Leases> leases;
  std::mutex mutex;  // guards what follows
  std::map<LayerId, std::shared_ptr<const LayerIndex>> indexes = {};
  std::set<LayerId> trusted = {};  // see has_tree()

  // layers/<id>. An id comes from records on disk: throws Error where it could
  // be a path.
  std::string directory(const LayerId& id) const;
  // Held while a form of the layer is made, so that only one does the work.
  FileLock lock(const LayerId& id) const;

  // A tarball of the layer that is in the store, the newest first.
  std::optional<LayerBlob> blob_here(const LayerMeta& meta) const;
  // One in that compression.
  std::optional<LayerBlob> blob_here(const LayerMeta& meta,
                                     Compression compression) const;
  // Reads a tarball that must be here. Throws DamagedBlob.
  LayerContent read(const LayerId& id, const LayerMeta& meta, int tree) const;

  bool has_tree(const LayerId& id);
  void unpack(const LayerId& id);

  std::optional<LayerIndex> stored_index(const LayerId& id) const;
  void publish_index(const LayerId& id, const LayerIndex& index);
  std::shared_ptr<const LayerIndex> keep(const LayerId& id, LayerIndex index);
  LayerIndex make_index(const LayerId& id);
  // Takes a damaged layer out of sight, and says so.
  void drop(const LayerId& id);

  // `index`: a whole file, or empty where the layer was pulled.
  LayerBlob make_tarball(const LayerId& id, const LayerMeta& meta,
                         std::string_view index, const TarballOptions& options);
  Digest recompress(const LayerBlob& blob, const TarballOptions& options,
                    const ByteSink& out) const;
  Digest pack(const LayerId& id, std::string_view index,
              const TarballOptions& options, const ByteSink& out);

  std::string alias(const Digest& diff_id) const {
    return root + "/diffs/" + diff_id.hex();
  }
  // As LayerStore::id_of(), of which nothing is held.
  LayerId made_as(const Digest& diff_id) const;
  void add_alias(const Digest& diff_id, const LayerId& id) const;
};

}  // namespace cbuild::store
