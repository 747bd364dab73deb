// RUN --mount=type=cache: directories that outlive the build.
//
//   <root>/cache-mounts/<hash of key>/data      shared, locked
//   <root>/cache-mounts/<hash of key>-<n>/data  private ones in use at once
//   <root>/cache-mounts/<hash of key>/key       what the hash is of: the id,
//   and
//                                               its seed and owner a line each
//
// Each has an OFD lock file beside it: `locked` holds it alone, `private` takes
// the first directory whose lock is free, `shared` does not lock. Any number of
// processes may use them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/fd.h"
#include "parser/mount.h"
#include "store/stream.h"

namespace cbuild::builder {

struct CacheMount {
  std::string directory;
  Fd lock;             // held while the step runs; empty for shared
  bool fresh = false;  // just made: to be seeded
};

class CacheMounts {
 public:
  // With `start_empty` (--no-cache) each cache is emptied at its first use.
  // `places`: directories of the user to take for certain ids; they are never
  // emptied. `hold` is told of the name of each before it is used, so that it
  // is not pruned.
  CacheMounts(std::string root, bool start_empty,
              std::map<std::string, std::string> places = {},
              std::function<void(const std::string&)> hold = {})
      : root_(std::move(root)),
        start_empty_(start_empty),
        places_(std::move(places)),
        hold_(std::move(hold)) {}

  // `key`: the id and what it is seeded from. Waits for a locked one, looking
  // at `stopped` every 50 ms and throwing Interrupted. `seed` fills the
  // directory of a new cache; a cache whose seeding failed does not stay.
  CacheMount acquire(const std::string& key, parser::RunMount::Sharing sharing,
                     const std::function<bool()>& stopped,
                     const std::function<void(const std::string&)>& seed);

 private:
  void make(const std::string& name);
  CacheMount open(const std::string& name, const std::string& key,
                  const std::function<void(const std::string&)>& seed);

  std::string root_;
  bool start_empty_;
  std::map<std::string, std::string> places_;  // by id
  std::function<void(const std::string&)> hold_;
  std::mutex mutex_;
  std::set<std::string> used_;  // emptied already in this build
};

// A cache as a file, so that it survives the machine: one tarball, zstd.
struct SavedCache {
  std::string name;  // the directory's
  std::string id;
  std::uint64_t bytes = 0;  // allocated
};
// The directory of the cache of that id, with the default owner and no seed.
std::string cache_name(const std::string& id);
std::vector<SavedCache> list_caches(const std::string& root);
// Throws UsageError where there is no cache of that id, or several (of
// different owners or seeds), which are then named.
void export_cache(const std::string& root, const std::string& id,
                  const store::ByteSink& out);
// Replaces the cache of that id (with the default owner and without a seed).
void import_cache(const std::string& root, const std::string& id,
                  store::ByteSource archive);

}  // namespace cbuild::builder
