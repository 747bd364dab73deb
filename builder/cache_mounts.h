// RUN --mount=type=cache: directories that outlive the build.
//
//   <root>/cache-mounts/<hash of id and seed>/data     shared, locked
//   <root>/cache-mounts/<hash of id and seed>-<n>/data private ones in use at
//   once
//
// Each has an OFD lock file beside it: `locked` holds it alone, `private` takes
// the first directory whose lock is free, `shared` does not lock. Any number of
// processes may use them.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "base/fd.h"
#include "parser/mount.h"

namespace cbuild::builder {

struct CacheMount {
  std::string directory;
  Fd lock;             // held while the step runs; empty for shared
  bool fresh = false;  // just made: to be seeded
};

class CacheMounts {
 public:
  // With `start_empty` (--no-cache) each cache is emptied at its first use.
  CacheMounts(std::string root, bool start_empty)
      : root_(std::move(root)), start_empty_(start_empty) {}

  // `key`: the id and what it is seeded from. Waits for a locked one, looking
  // at `stopped` every 50 ms and throwing Interrupted. `seed` fills the
  // directory of a new cache; a cache whose seeding failed does not stay.
  CacheMount acquire(const std::string& key, parser::RunMount::Sharing sharing,
                     const std::function<bool()>& stopped,
                     const std::function<void(const std::string&)>& seed);

 private:
  CacheMount open(const std::string& name,
                  const std::function<void(const std::string&)>& seed);

  std::string root_;
  bool start_empty_;
  std::mutex mutex_;
  std::set<std::string> used_;  // emptied already in this build
};

}  // namespace cbuild::builder
