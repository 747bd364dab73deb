// Step records and layers shared with other stores: --cache-from, --cache-to.
//
// A record that is found is put into the store as if it had been made here; its
// layers are only made known, and are fetched when a step executes on them or
// the image holds them. Trouble is told once, and that cache is then left alone
// for the rest of the build; so is one in which nothing moves for the time-out.
// Thread-safe. Members throw Interrupted where the build is stopped, nothing
// else.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/workers.h"
#include "builder/build.h"
#include "builder/reporter.h"
#include "builder/shared_record.h"
#include "registry/cache_storage.h"

namespace cbuild::builder {

// A layer that only a cache had cannot be had after all: the build starts over
// without it.
class LostLayer : public Error {
 public:
  using Error::Error;
};

class RemoteCache {
 public:
  RemoteCache(const BuildRequest& request, BuildEnvironment& environment,
              Reporter& reporter);
  ~RemoteCache();

  // Whether a record can be looked for.
  bool reads() const;
  // Puts the record of `key` into the store, from the first cache that has it.
  // False where none has.
  bool find(const store::Digest& key);

  // Whether the layer's tarball could be fetched.
  bool knows(const store::LayerId& id) const;
  // Makes the tarballs of those layers be here that a cache has. Throws
  // LostLayer where that fails.
  void fetch(const std::vector<store::LayerId>& layers);

  // The kinds of --cache-to there are.
  bool sends(bool max) const;
  // Begins to send the tarball of a layer that was just made.
  void send_soon(const store::LayerBlob& blob);
  // Sends the records with their layers, those that are not there already.
  void send(const std::vector<SharedRecord>& records, bool max);

  // Nothing is read any more.
  void stop_reading();

 private:
  struct Place {
    registry::CacheStorage* storage = nullptr;
    bool max = false;
    std::size_t pending = 0;  // operations under way
    std::chrono::steady_clock::time_point since;
    bool told = false;
  };
  using Places = std::vector<std::unique_ptr<Place>>;

  template <typename Operation>
  bool attempt(Place& place, Operation&& operation);
  void begin(Place& place);
  void end(Place& place);
  void trouble(Place& place, const std::string& what);
  void adopt(const SharedRecord& shared, Place& from);
  void send_to(Place& place, const std::vector<SharedRecord>& records);
  bool came_from(const store::Digest& key, const Place& place) const;
  void watch();

  const BuildRequest& request_;
  BuildEnvironment& environment_;
  Reporter& reporter_;
  Places sources_;
  Places targets_;
  std::atomic<bool> reading_ = true;

  mutable std::mutex mutex_;
  std::map<store::LayerId, std::pair<Place*, store::Descriptor>> layers_;
  std::set<std::string> imported_;  // key and name of the cache it came from
  std::condition_variable ended_;
  bool closing_ = false;
  std::thread watchdog_;
  Workers workers_;  // last: its threads end before what they use
};

}  // namespace cbuild::builder
