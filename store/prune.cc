#include "store/prune.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <map>

#include "base/dir.h"
#include "base/text.h"
#include "store/layer_sizes.h"
#include "store/reach.h"
#include "store/usage.h"

namespace cbuild::store {
namespace {

bool limited(const PruneOptions& options) {
  return options.keep_bytes || options.free_bytes || options.reserved_bytes;
}

// How many bytes must go to meet the limits.
std::uint64_t wanted_bytes(Store& store, const PruneOptions& options) {
  const std::uint64_t total = total_bytes(store);
  std::uint64_t keep = options.keep_bytes.value_or(UINT64_MAX);
  if (options.free_bytes) {
    const std::uint64_t free = disk_space(store).free;
    const std::uint64_t lacking =
        free < *options.free_bytes ? *options.free_bytes - free : 0;
    if (lacking != 0)
      keep = std::min(keep, total - std::min(total, lacking));
  }
  if (options.reserved_bytes) {
    // Alone it says how much to keep.
    const bool alone = !options.keep_bytes && !options.free_bytes;
    keep = alone ? *options.reserved_bytes
                 : std::max(keep, *options.reserved_bytes);
  }
  return total > keep ? total - keep : 0;
}

class Pruner {
 public:
  Pruner(Store& store, const PruneOptions& options)
      : store_(store),
        options_(options),
        before_(options.unused_for == 0
                    ? INT64_MAX
                    : std::time(nullptr) - options.unused_for),
        layers_(layer_sizes(store)) {
    for (const Digest& digest : store.blobs.list())
      blobs_[digest] = allocated(store.blobs.path(digest));
  }

  PruneReport run() {
    drop_images();
    drop_references();
    if (options_.references)
      for (const char* folder : {"contexts", "web/urls", "web/files",
                                 "git/files", "git/repositories"})
        drop_files(folder);
    if (options_.cache_mounts)
      report_.cache_mounts = drop_files("cache-mounts");
    if (options_.logs) report_.logs = drop_files("logs");
    drop_failed();
    drop_steps();
    drop_layers_and_blobs();
    drop_dead_links();
    return report_;
  }

 private:
  struct AgedStep {
    StepRecord record;
    std::int64_t used;  // nanoseconds since the epoch
  };

  void drop_images();
  void drop_references();
  std::size_t drop_files(const std::string& folder);
  void drop_failed();
  void drop_steps();
  std::size_t steps_to_keep(const std::vector<AgedStep>& old);
  void drop_layers_and_blobs();
  void drop_dead_links();
  Reached reached() const;
  std::uint64_t unreached_bytes(const Reached& kept) const;

  Store& store_;
  const PruneOptions& options_;
  std::int64_t before_;  // what was last used before this time may go
  // Everything there is, and its size.
  std::map<LayerId, std::uint64_t> layers_;
  std::map<Digest, std::uint64_t> blobs_;
  std::vector<Descriptor> images_;  // what stays, remembered ones too
  std::vector<StepRecord> steps_;
  std::vector<LayerId> below_failed_;  // layers that kept failed RUNs stand on
  PruneReport report_;
};

void Pruner::drop_images() {
  for (NamedImage& image : store_.images.list()) {
    const bool goes = image.name.empty() ? options_.dangling_images &&
                                               image.manifest.digest !=
                                                   options_.spared
                                         : options_.named_images;
    if (!goes) {
      images_.push_back(std::move(image.manifest));
      continue;
    }
    if (!options_.dry_run) store_.images.remove(image.manifest.digest);
    report_.images.push_back(std::move(image));
  }
}

void Pruner::drop_references() {
  if (options_.references && options_.dry_run && before_ == INT64_MAX) return;
  if (options_.references && !options_.dry_run)
    report_.references = store_.images.forget_older(before_);
  for (Descriptor& manifest : store_.images.remembered())
    images_.push_back(std::move(manifest));
}

std::size_t Pruner::drop_files(const std::string& folder) {
  const std::string path = store_.root() + "/" + folder;
  const auto dir = try_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  if (!dir) return 0;
  std::size_t dropped = 0;
  for (const std::string& name : list_dir(dir->get())) {
    const auto st = lstat_at(dir->get(), name);
    if (!st || st->st_mtime >= before_) continue;
    report_.bytes += allocated(path + "/" + name);
    ++dropped;
    if (!options_.dry_run) remove_tree_at(dir->get(), name);
  }
  return dropped;
}

// What failed RUNs left goes by age like the cache mounts; the layers below
// those that stay are needed.
void Pruner::drop_failed() {
  const std::string path = store_.root() + "/failed";
  if (::access(path.c_str(), F_OK) == -1) return;
  report_.failed_runs = drop_files("failed");
  const Fd dir = open_path(path, O_RDONLY | O_DIRECTORY);
  for (const std::string& id : list_dir(dir.get())) {
    const auto st = lstat_at(dir.get(), id);
    if (options_.dry_run && st && st->st_mtime < before_) continue;
    const std::string layers =
        read_file_at(dir.get(), id + "/layers").value_or("");
    for (const std::string& layer : split(layers, '\n'))
      if (!layer.empty()) below_failed_.push_back(layer);
  }
}

Reached Pruner::reached() const {
  Reached kept;
  for (const Descriptor& manifest : images_)
    kept.add_image(store_.blobs, manifest);
  // An image's own layers have tarballs to keep, in whatever compression.
  const std::set<LayerId> of_images = std::move(kept.layers);
  kept.layers.clear();
  for (const LayerId& id : of_images) kept.add_layer(store_.layers, id);
  for (const StepRecord& step : steps_)
    for (const LayerId& id : step.layers) kept.add_layer(store_.layers, id);
  for (const LayerId& id : below_failed_) kept.add_layer(store_.layers, id);
  return kept;
}

std::uint64_t Pruner::unreached_bytes(const Reached& kept) const {
  std::uint64_t bytes = 0;
  for (const auto& [id, size] : layers_)
    if (!kept.layers.contains(id)) bytes += size;
  for (const auto& [digest, size] : blobs_)
    if (!kept.blobs.contains(digest)) bytes += size;
  return bytes;
}

// How many of `old`, from the front, can stay within the limits: what each of
// them adds to what stays is counted until too little would go.
std::size_t Pruner::steps_to_keep(const std::vector<AgedStep>& old) {
  if (!options_.steps) return old.size();
  if (!limited(options_)) return 0;
  const std::uint64_t wanted = wanted_bytes(store_, options_);
  if (wanted == 0) return old.size();
  Reached kept = reached();
  std::uint64_t goes = unreached_bytes(kept);
  for (std::size_t i = 0; i < old.size(); ++i) {
    for (const LayerId& id : old[i].record.layers) {
      if (!kept.layers.contains(id)) {
        const auto size = layers_.find(id);
        if (size != layers_.end()) goes -= size->second;
      }
      Reached of_layer;
      of_layer.add_layer(store_.layers, id);
      for (const Digest& blob : of_layer.blobs) {
        if (!kept.blobs.insert(blob).second) continue;
        const auto size = blobs_.find(blob);
        if (size != blobs_.end()) goes -= size->second;
      }
      kept.layers.insert(id);
    }
    if (goes < wanted) return i;
  }
  return old.size();
}

void Pruner::drop_steps() {
  std::vector<AgedStep> old;
  for (StepRecord& step : store_.steps.list()) {
    const std::int64_t used = store_.steps.last_used(step.key);
    if (used / 1'000'000'000 < before_)
      old.push_back({std::move(step), used});
    else
      steps_.push_back(std::move(step));
  }
  std::sort(old.begin(), old.end(), [](const AgedStep& a, const AgedStep& b) {
    return a.used > b.used;
  });
  const std::size_t keep = steps_to_keep(old);
  for (std::size_t i = 0; i < old.size(); ++i) {
    if (i < keep) {
      steps_.push_back(std::move(old[i].record));
      continue;
    }
    ++report_.steps;
    if (!options_.dry_run) store_.steps.remove(old[i].record.key);
  }
}

void Pruner::drop_layers_and_blobs() {
  const Reached kept = reached();
  report_.bytes += unreached_bytes(kept);
  for (const auto& [id, size] : layers_) {
    if (kept.layers.contains(id)) continue;
    ++report_.layers;
    if (!options_.dry_run) store_.layers.remove(id);
  }
  for (const auto& [digest, size] : blobs_) {
    if (kept.blobs.contains(digest)) continue;
    ++report_.blobs;
    if (!options_.dry_run) store_.blobs.remove(digest);
  }
}

// What kills left: names of layers that are gone, files of claims.
void Pruner::drop_dead_links() {
  if (options_.dry_run) return;
  const auto diffs =
      try_openat(AT_FDCWD, store_.root() + "/diffs", O_RDONLY | O_DIRECTORY);
  if (diffs)
    for (const std::string& name : list_dir(diffs->get()))
      if (!store_.layers.exists(readlink_at(diffs->get(), name)))
        remove_tree_at(diffs->get(), name);
  const Fd locks = open_path(store_.root() + "/locks", O_RDONLY | O_DIRECTORY);
  for (const std::string& name : list_dir(locks.get()))
    if (name.starts_with("step-") || name.starts_with("fetch-"))
      remove_tree_at(locks.get(), name);
}

// Frees what nothing names any more and leaves all names and records.
PruneReport collect(Store& store) {
  return prune(store, {.dangling_images = false,
                       .unused_for = INT64_MAX / 2,
                       .steps = false,
                       .logs = false});
}

}  // namespace

PruneReport prune(Store& store, const PruneOptions& options) {
  const std::optional<Lease> lease = store.exclusive_lease();
  if (!lease) return {.busy = true};
  if (!limited(options)) return Pruner(store, options).run();
  PruneOptions gently = options;
  gently.references = gently.cache_mounts = false;
  PruneReport report = Pruner(store, gently).run();
  const std::uint64_t wanted = wanted_bytes(store, options);
  if (options.dry_run)
    return report.bytes >= wanted ? report : Pruner(store, options).run();
  if (wanted == 0) return report;
  PruneReport more = Pruner(store, options).run();
  more.images = std::move(report.images);
  more.steps += report.steps;
  more.layers += report.layers;
  more.blobs += report.blobs;
  more.logs += report.logs;
  more.bytes += report.bytes;
  return more;
}

std::optional<PruneReport> enforce_cap(Store& store, std::uint64_t cap,
                                       const Digest& spared) {
  if (total_bytes(store) <= cap) return std::nullopt;
  return prune(store, {.keep_bytes = cap,
                       .spared = spared,
                       .logs = false,
                       .cache_mounts = true});
}

PruneReport remove_name(Store& store, const std::string& full_name) {
  const std::optional<Descriptor> manifest = store.images.find(full_name);
  if (!manifest) return {};
  const std::vector<NamedImage> images = store.images.list();
  const auto names =
      std::count_if(images.begin(), images.end(), [&](const NamedImage& image) {
        return image.manifest.digest == manifest->digest && !image.name.empty();
      });
  if (names == 1) return remove_image(store, manifest->digest);
  store.images.untag(full_name);
  return {};
}

PruneReport remove_image(Store& store, const Digest& manifest) {
  std::vector<NamedImage> gone;
  for (NamedImage& image : store.images.list())
    if (image.manifest.digest == manifest) gone.push_back(std::move(image));
  store.images.remove(manifest);
  PruneReport report = collect(store);
  report.images = std::move(gone);
  return report;
}

}  // namespace cbuild::store
