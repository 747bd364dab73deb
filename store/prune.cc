#include "store/prune.h"

#include <algorithm>

#include "store/layer_sizes.h"
#include "store/lease.h"
#include "store/pruner.h"
#include "store/swept.h"
#include "store/usage.h"

namespace cbuild::store {
namespace {

// Frees what nothing names any more and leaves all names and records.
PruneReport collect(Store& store) {
  return prune(store, {.dangling_images = false,
                       .unused_for = INT64_MAX / 2,
                       .steps = false,
                       .logs = false});
}

}  // namespace

PruneReport prune(Store& store, const PruneOptions& options) {
  if (!is_swept(store)) layer_sizes(store);  // counted while nobody waits
  Graves graves;                             // outlives the lock
  const Sweep sweep = store.leases().sweep();
  const auto run = [&](const PruneOptions& how) {
    return Pruner(store, how, sweep.held, graves).run();
  };
  if (!limited(options)) return run(options);
  PruneOptions gently = options;
  gently.references = gently.cache_mounts = false;
  PruneReport report = run(gently);
  const std::uint64_t wanted = wanted_bytes(store, options, graves);
  if (options.dry_run) return report.bytes >= wanted ? report : run(options);
  if (wanted == 0) return report;
  PruneReport more = run(options);
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
