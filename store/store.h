// The store as a whole: one directory, opened once per process.
//
//   <root>/oci-layout, index.json, blobs/   an OCI image layout
//   <root>/layers/ steps/ refs/ contexts/ cache-mounts/ tmp/ locks/
//
// Opening creates what is missing and sweeps tmp/ of what dead processes left:
// every process stages below tmp/<random>, held by an OFD lock on
// locks/<random> while it lives (store/staging.h).
#pragma once

#include <optional>
#include <string>

#include "base/dir.h"
#include "store/blob_store.h"
#include "store/durability.h"
#include "store/image_store.h"
#include "store/layer_store.h"
#include "store/lock.h"
#include "store/step_cache.h"

namespace cbuild::store {

// Says that this process uses the store: prune deletes nothing meanwhile. Every
// build, pull, push, load and save holds one; they do not exclude each other.
class Lease {
 private:
  friend class Store;
  explicit Lease(FileLock lock) : lock_(std::move(lock)) {}
  FileLock lock_;
};

class Store {
 private:
  std::string root_;
  std::shared_ptr<Durability> durability_;

 public:
  explicit Store(const std::string& root);
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Absolute.
  const std::string& root() const { return root_; }

  BlobStore blobs;
  LayerStore layers;
  ImageStore images;
  StepCache steps;

  // A fresh directory below tmp/, on the file system of the layers.
  TempDir temp_dir(std::string_view prefix);

  // Waits while prune is deleting.
  Lease lease() const;
  // For prune: no one else uses the store while it is held. nullopt where
  // someone does.
  std::optional<Lease> exclusive_lease() const;

  // For work that must be done once among all processes: "step-<key>". nullopt
  // where another one does it now.
  std::optional<Claim> try_claim(const std::string& work) const;

  // syncfs(2) on the store's file system: called once, before the result of a
  // build, pull or load is published. Makes everything born before it durable
  // (store/durability.h).
  void sync();
};

// $CBUILD_ROOT, else /var/lib/cbuild for root, else $XDG_DATA_HOME/cbuild or
// ~/.local/share/cbuild.
std::string default_root();

}  // namespace cbuild::store
