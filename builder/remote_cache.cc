#include "builder/remote_cache.h"

#include <algorithm>
#include <utility>

namespace cbuild::builder {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kTransfers = 4;  // at once
constexpr std::chrono::milliseconds kWatchEvery{50};

}  // namespace

RemoteCache::RemoteCache(const BuildRequest& request,
                         BuildEnvironment& environment, Reporter& reporter)
    : request_(request),
      environment_(environment),
      reporter_(reporter),
      workers_(kTransfers) {
  const auto add = [](Places& places, const CachePlace& given) {
    places.push_back(std::make_unique<Place>());
    places.back()->storage = given.storage.get();
    places.back()->max = given.max;
  };
  for (const CachePlace& given : environment.cache_from) add(sources_, given);
  for (const CachePlace& given : environment.cache_to) add(targets_, given);
  if (!sources_.empty() || !targets_.empty())
    watchdog_ = std::thread([this] { watch(); });
}

RemoteCache::~RemoteCache() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    // What is under way then belongs to a build that failed.
    for (Places* places : {&sources_, &targets_})
      for (const auto& place : *places)
        if (place->pending > 0) place->storage->give_up();
    ended_.notify_all();
  }
  if (watchdog_.joinable()) watchdog_.join();
}

bool RemoteCache::reads() const { return reading_ && !sources_.empty(); }

void RemoteCache::stop_reading() { reading_ = false; }

void RemoteCache::begin(Place& place) {
  const std::lock_guard lock(mutex_);
  if (place.pending++ == 0) place.since = Clock::now();
}

void RemoteCache::end(Place& place) {
  const std::lock_guard lock(mutex_);
  --place.pending;
  place.since = Clock::now();
}

void RemoteCache::trouble(Place& place, const std::string& what) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(place.told, true)) return;
  }
  place.storage->give_up();
  reporter_.warning("cache in " + place.storage->name() + ": " + what +
                    "; going on without it");
}

// False where the place is given up, now or before.
template <typename Operation>
bool RemoteCache::attempt(Place& place, Operation&& operation) {
  if (place.storage->given_up()) return false;
  begin(place);
  bool done = false;
  try {
    operation();
    done = true;
  } catch (const Interrupted&) {
    // Given up meanwhile, or the whole build is.
  } catch (const Error& e) {
    trouble(place, e.what());
  }
  end(place);
  if (environment_.stop && *environment_.stop) throw Interrupted();
  return done;
}

// Ends waiting for a cache in which nothing moves, and all of it where the
// build is stopped.
void RemoteCache::watch() {
  const auto stuck = [&](const Place& place) {
    const auto moved = std::max(place.since, place.storage->last_moved());
    return place.pending > 0 && !place.told &&
           Clock::now() - moved > request_.cache_timeout;
  };
  std::unique_lock lock(mutex_);
  while (!closing_) {
    ended_.wait_for(lock, kWatchEvery);
    const bool stopped = environment_.stop && *environment_.stop;
    for (Places* places : {&sources_, &targets_})
      for (const auto& place : *places) {
        if (stopped) place->storage->give_up();
        if (!stuck(*place)) continue;
        lock.unlock();
        trouble(*place, "nothing moved for " +
                            std::to_string(request_.cache_timeout.count()) +
                            " s (--cache-timeout)");
        lock.lock();
      }
  }
}

bool RemoteCache::find(const store::Digest& key) {
  for (const auto& place : sources_) {
    if (!reads()) return false;
    std::optional<std::string> text;
    attempt(*place, [&] { text = place->storage->find(key); });
    if (!text) continue;
    const auto shared = shared_record(*text, key);
    if (!shared) continue;
    adopt(*shared, *place);
    return true;
  }
  return false;
}

void RemoteCache::adopt(const SharedRecord& shared, Place& from) {
  store::StepRecord record = shared.record;
  std::vector<store::LayerId> layers;
  for (const SharedLayer& layer : shared.layers) {
    const store::LayerBlob& blob = layer.blob;
    const store::LayerId id = environment_.store.layers.add_blob(
        blob.diff_id, blob.digest, blob.size, blob.compression);
    layers.push_back(id);
    if (layer.of_base) continue;
    const std::lock_guard lock(mutex_);
    layers_.emplace(id, std::pair(&from, descriptor_of(blob)));
  }
  record.layers = layers;
  environment_.store.steps.put(record);
  const std::lock_guard lock(mutex_);
  imported_.insert(record.key.hex() + " " + from.storage->name());
}

bool RemoteCache::knows(const store::LayerId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = layers_.find(id);
  return reads() && found != layers_.end() &&
         !found->second.first->storage->given_up();
}

void RemoteCache::fetch(const std::vector<store::LayerId>& layers) {
  Workers workers(kTransfers);
  for (const store::LayerId& id : layers) {
    std::optional<std::pair<Place*, store::Descriptor>> from;
    {
      const std::lock_guard lock(mutex_);
      const auto found = layers_.find(id);
      if (found != layers_.end()) from = found->second;
    }
    if (!from) continue;
    workers.submit([this, from = *from] {
      Place& place = *from.first;
      const store::Descriptor& blob = from.second;
      if (environment_.store.blobs.hold(blob.digest)) return;
      const bool done = attempt(
          place, [&] { place.storage->fetch(environment_.store, blob); });
      if (!done)
        throw LostLayer("layer " + blob.digest.short_text() + " of " +
                        place.storage->name() + " cannot be had");
    });
  }
  workers.wait();
}

bool RemoteCache::sends(bool max) const {
  return std::any_of(targets_.begin(), targets_.end(), [&](const auto& place) {
    return place->max == max && !place->storage->given_up();
  });
}

void RemoteCache::send_soon(const store::LayerBlob& blob) {
  for (const auto& place : targets_)
    workers_.submit([this, &place = *place, blob] {
      attempt(place, [&] {
        place.storage->send(environment_.store, descriptor_of(blob));
      });
    });
}

// Those a cache has not are found first, then their layers go, each once, then
// the records: whoever finds one finds all it names.
void RemoteCache::send(const std::vector<SharedRecord>& records, bool max) {
  workers_.wait();
  for (const auto& place : targets_)
    if (place->max == max) send_to(*place, records);
}

void RemoteCache::send_to(Place& place,
                          const std::vector<SharedRecord>& records) {
  registry::CacheStorage& storage = *place.storage;
  std::vector<const SharedRecord*> missing;
  for (const SharedRecord& shared : records) {
    if (came_from(shared.record.key, place)) continue;
    workers_.submit([&, record = &shared] {
      bool there = true;
      attempt(place, [&] { there = storage.has(record->record.key); });
      const std::lock_guard lock(mutex_);
      if (!there) missing.push_back(record);
    });
  }
  workers_.wait();
  std::set<store::Digest> layers;
  for (const SharedRecord* shared : missing)
    for (const SharedLayer& layer : shared->layers)
      if (!layer.of_base && layers.insert(layer.blob.digest).second)
        workers_.submit([&place, &layer, this] {
          attempt(place, [&] {
            place.storage->send(environment_.store, descriptor_of(layer.blob));
          });
        });
  workers_.wait();
  for (const SharedRecord* shared : missing)
    workers_.submit([&place, shared, this] {
      std::vector<store::Descriptor> own;
      for (const SharedLayer& layer : shared->layers)
        if (!layer.of_base) own.push_back(descriptor_of(layer.blob));
      attempt(place, [&] {
        place.storage->put(shared->record.key, to_text(*shared), own);
      });
    });
  workers_.wait();
}

bool RemoteCache::came_from(const store::Digest& key,
                            const Place& place) const {
  const std::lock_guard lock(mutex_);
  return imported_.contains(key.hex() + " " + place.storage->name());
}

}  // namespace cbuild::builder
