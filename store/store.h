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
#include "store/lease.h"
#include "store/lock.h"
#include "store/step_cache.h"

namespace cbuild::store {

class Store {
 private:
  std::string root_;
  std::shared_ptr<Durability> durability_;
  std::shared_ptr<Leases> leases_;

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

  // Says that this process uses the store: what it finds and makes stays until
  // the last lease ends (store/lease.h). Every build, pull, push, load and save
  // has one; they do not exclude each other.
  Lease lease() const { return Lease(leases_); }
  // Holds "cache-mounts/<x>" and the like, which the store itself does not look
  // up or make: called before the caller does.
  void hold(const std::string& name) const { leases_->hold(name); }
  Leases& leases() const { return *leases_; }

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
