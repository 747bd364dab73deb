// Deleting what is no longer wanted.
//
// Images and step records are what is wanted or not; layers and blobs go when
// none of those that stay needs them. Builds may run meanwhile: what a process
// with a lease found or made stays too (store/lease.h); while prune decides and
// renames away they wait where they look something up. Killed half-way it leaves
// a usable store: records go before the layers they name, and layers are renamed
// away before they are removed. Sizes are in bytes of allocated blocks, as du(1) counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "store/store.h"

namespace cbuild::store {

// Something of the cache, as BuildKit's filters see it (client/diskusage.go).
struct CacheItem {
  // regular (a cached step), exec.cachemount, source.local, source.http,
  // source.git.checkout
  std::string type;
  std::string id;           // the step's key, else the name of the directory
  std::string description;  // "[build 2/5] RUN make"
  std::string parent;       // key of what the step stands on
  bool changes = false;     // in place, as a cache mount does
  bool in_use = false;      // by a process that runs
  bool shared = false;      // an image needs what it holds
};

struct PruneOptions {
  // Images that lost their last name go, and those that have one too.
  bool dangling_images = true;
  bool named_images = false;
  // Step records, remembered references, context tables and what came from
  // URLs and git go that were not used for this many seconds; 0: all of them.
  // So does what failed RUNs left (--on-fail=keep).
  std::int64_t unused_for = 0;
  // Of the step records only as many, least recently used first, as it takes to
  // bring the store down to `keep_bytes` and to have `free_bytes` of the disk
  // free, but never so many that it gets smaller than `reserved_bytes`
  // (BuildKit's calculateKeepBytes, cache/manager.go).
  std::optional<std::uint64_t> keep_bytes;
  std::optional<std::uint64_t> free_bytes;
  std::optional<std::uint64_t> reserved_bytes;
  // With a limit references, context tables and cache mounts go only where that
  // is not enough.

  // The manifest of an image that stays though it has no name.
  std::optional<Digest> spared;
  // False: all step records stay.
  bool steps = true;
  // False: remembered references, context tables and what came from URLs and
  // git stay.
  bool references = true;
  // What builds printed.
  bool logs = true;
  // What RUN --mount=type=cache keeps, where not used for `unused_for`.
  bool cache_mounts = false;
  // Where it is set, what it is true for goes, and of the rest of the store only
  // what nothing needs then: images, what references stand for, logs and what
  // failed RUNs left stay.
  std::function<bool(const CacheItem&)> only = {};
  // Only tells what would be done.
  bool dry_run = false;
};

struct PruneReport {
  std::vector<NamedImage> images;
  std::size_t steps = 0;
  std::size_t references = 0;
  std::size_t layers = 0;
  std::size_t blobs = 0;
  std::size_t cache_mounts = 0;
  std::size_t logs = 0;
  std::size_t failed_runs = 0;
  std::uint64_t bytes = 0;
};

PruneReport prune(Store& store, const PruneOptions& options);

// Brings a store that is larger than `cap` bytes down to it. nullopt where it is
// small enough already. What images with a name, and `spared`, need stays, so it
// may end above the cap.
std::optional<PruneReport> enforce_cap(Store& store, std::uint64_t cap,
                                       const Digest& spared);

// For rmi: takes the name away and, with the last name, the image and what only
// it needed. Step records stay, so a build still finds its layers. `bytes` is 0
// where the store is busy; the next prune frees it.
PruneReport remove_name(Store& store, const std::string& full_name);
// The same for an image and all its names.
PruneReport remove_image(Store& store, const Digest& manifest);

}  // namespace cbuild::store
