#include "store/pruner.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "base/dir.h"
#include "base/text.h"
#include "store/layer_sizes.h"
#include "store/swept.h"
#include "store/usage.h"

namespace cbuild::store {

Graves::~Graves() {
  for (const std::string& path : paths_) {
    try {
      remove_tree(path);
    } catch (const Error&) {
      // What cannot be removed now is swept by the next start.
    }
  }
}

bool limited(const PruneOptions& options) {
  return options.keep_bytes || options.free_bytes || options.reserved_bytes;
}

std::uint64_t wanted_bytes(Store& store, const PruneOptions& options,
                           const Graves& graves) {
  const std::uint64_t there = total_bytes(store);
  const std::uint64_t total = there - std::min(there, graves.bytes());
  std::uint64_t keep = options.keep_bytes.value_or(UINT64_MAX);
  if (options.free_bytes) {
    const std::uint64_t free = disk_space(store).free + graves.bytes();
    const std::uint64_t lacking =
        free < *options.free_bytes ? *options.free_bytes - free : 0;
    if (lacking != 0) keep = std::min(keep, total - std::min(total, lacking));
  }
  if (options.reserved_bytes) {
    // Alone it says how much to keep.
    const bool alone = !options.keep_bytes && !options.free_bytes;
    keep = alone ? *options.reserved_bytes
                 : std::max(keep, *options.reserved_bytes);
  }
  return total > keep ? total - keep : 0;
}

Pruner::Pruner(Store& store, const PruneOptions& options,
               const std::set<std::string>& held, Graves& graves)
    : store_(store),
      options_(options),
      held_(held),
      graves_(graves),
      before_(options.unused_for == 0
                  ? INT64_MAX
                  : std::time(nullptr) - options.unused_for) {}

PruneReport Pruner::run() {
  keep_held();
  drop_images();
  drop_references();
  if (options_.references)
    for (const char* folder :
         {"contexts", "web/urls", "web/files", "git/files", "git/repositories"})
      drop_files(folder);
  if (options_.cache_mounts) report_.cache_mounts = drop_files("cache-mounts");
  if (options_.logs && !options_.only) report_.logs = drop_files("logs");
  drop_failed();
  if (!options_.dry_run) drop_dead_claims();
  if (nothing_to_sweep()) return report_;
  layers_ = layer_sizes(store_);
  for (const Digest& digest : store_.blobs.list())
    blobs_[digest] = allocated(store_.blobs.path(digest));
  drop_steps();
  drop_layers_and_blobs();
  if (options_.dry_run) return report_;
  drop_dead_names();
  // What a running process holds may be needed by nothing later.
  if (held_.empty()) write_swept(store_);
  return report_;
}

bool Pruner::steps_may_go() const {
  if (!options_.steps) return false;
  return limited(options_) ? wanted_bytes(store_, options_, graves_) > 0
                           : store_.steps.any_unused_since(before_);
}

// Nothing of what leads to layers and blobs went or goes, and whoever changed
// the store since it was swept left nothing.
bool Pruner::nothing_to_sweep() const {
  return report_.images.empty() && report_.references == 0 &&
         report_.failed_runs == 0 && is_swept(store_) && !steps_may_go();
}

// What running processes hold by its own name.
void Pruner::keep_held() {
  for (const std::string& name : held_) {
    const std::size_t slash = name.find('/');
    const std::string folder = name.substr(0, slash);
    const std::string what = name.substr(slash + 1);
    if (folder == "layers") needed_.push_back(what);
    if (folder == "blobs") needed_blobs_.push_back(Digest::from_hex(what));
    if (folder == "images" || folder == "indexes")
      images_.push_back({.media_type = folder == "images" ? media::kOciManifest
                                                          : media::kOciIndex,
                         .digest = Digest::parse(what)});
  }
}

bool Pruner::is_held(const Descriptor& image) const {
  return held_.contains("images/" + image.digest.text()) ||
         held_.contains("indexes/" + image.digest.text());
}

void Pruner::drop_images() {
  for (NamedImage& image : store_.images.list()) {
    const bool goes =
        !options_.only && !is_held(image.manifest) &&
        (image.name.empty() ? options_.dangling_images &&
                                  image.manifest.digest != options_.spared
                            : options_.named_images);
    if (!goes) {
      images_.push_back(std::move(image.manifest));
      continue;
    }
    if (!options_.dry_run) store_.images.remove(image.manifest.digest);
    report_.images.push_back(std::move(image));
  }
}

void Pruner::drop_references() {
  const bool forget = options_.references && !options_.only;
  if (forget && options_.dry_run && before_ == INT64_MAX) return;
  if (forget && !options_.dry_run)
    report_.references = store_.images.forget_older(before_);
  for (Descriptor& manifest : store_.images.remembered())
    images_.push_back(std::move(manifest));
}

void Pruner::bury(const std::string& path, std::uint64_t bytes) {
  const std::string grave = Staging::of(store_.root())->fresh();
  if (::rename(path.c_str(), grave.c_str()) == 0)
    graves_.add(grave, bytes);
  else
    remove_tree(path);
}

bool Pruner::is_wanted_gone(const std::string& folder,
                            const std::string& name) const {
  CacheItem item{.type = "source.local",
                 .id = name,
                 .description = "local source",
                 .changes = true};
  if (folder == "cache-mounts") {
    const std::string key =
        read_file(store_.root() + "/cache-mounts/" + name + "/key")
            .value_or("");
    item.type = "exec.cachemount";
    item.description = "cached mount " + key.substr(0, key.find('\n'));
  } else if (folder.starts_with("git/")) {
    item.type = "source.git.checkout";
    item.description = "git source";
  } else if (folder.starts_with("web/")) {
    item.type = "source.http";
    item.description = "http source";
  }
  return options_.only(item);
}

bool Pruner::is_wanted_gone(const StepRecord& step,
                            const Reached& of_images) const {
  CacheItem item{
      .type = "regular", .id = step.key.hex(), .description = step.title};
  for (const auto& [name, value] : step.inputs)
    if (name == "below") item.parent = value;
  if (!step.layers.empty()) {
    const LayerId top = step.layers.top();
    Reached layer;
    layer.add_layer(store_.layers, top);
    item.shared = of_images.layers.contains(top) ||
                  std::any_of(layer.blobs.begin(), layer.blobs.end(),
                              [&](const Digest& blob) {
                                return of_images.blobs.contains(blob);
                              });
  }
  return options_.only(item);
}

std::size_t Pruner::drop_files(const std::string& folder) {
  const std::string path = store_.root() + "/" + folder;
  const auto dir = try_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  if (!dir) return 0;
  std::size_t dropped = 0;
  for (const std::string& name : list_dir(dir->get())) {
    const auto st = lstat_at(dir->get(), name);
    if (!st || st->st_mtime >= before_) continue;
    if (held_.contains(folder + "/" + name)) continue;
    if (options_.only && !is_wanted_gone(folder, name)) continue;
    const std::uint64_t bytes = allocated(path + "/" + name);
    report_.bytes += bytes;
    ++dropped;
    if (!options_.dry_run) bury(path + "/" + name, bytes);
  }
  return dropped;
}

// What failed RUNs left goes by age like the cache mounts; the layers below
// those that stay are needed.
void Pruner::drop_failed() {
  const std::string path = store_.root() + "/failed";
  if (::access(path.c_str(), F_OK) == -1) return;
  if (!options_.only) report_.failed_runs = drop_files("failed");
  const Fd dir = open_path(path, O_RDONLY | O_DIRECTORY);
  for (const std::string& id : list_dir(dir.get())) {
    const auto st = lstat_at(dir.get(), id);
    if (options_.dry_run && !options_.only && st && st->st_mtime < before_ &&
        !held_.contains("failed/" + id))
      continue;
    const std::string layers =
        read_file_at(dir.get(), id + "/layers").value_or("");
    for (const std::string& layer : split(layers, '\n'))
      if (!layer.empty()) needed_.push_back(layer);
  }
}

Reached Pruner::reached() const {
  Reached kept;
  ImageLinks links(store_.root());
  for (const Descriptor& manifest : images_)
    kept.add_image(store_.blobs, links, manifest);
  if (!options_.dry_run) links.save();
  // An image's own layers have tarballs to keep, in whatever compression.
  const std::set<LayerId> of_images = std::move(kept.layers);
  kept.layers.clear();
  for (const LayerId& id : of_images) kept.add_layer(store_.layers, id);
  Chain last;
  for (const StepRecord& step : steps_) {
    for (const LayerId& id : step.layers.beyond(last))
      kept.add_layer(store_.layers, id);
    last = step.layers;
  }
  for (const LayerId& id : needed_) kept.add_layer(store_.layers, id);
  kept.blobs.insert(needed_blobs_.begin(), needed_blobs_.end());
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
  const std::uint64_t wanted = wanted_bytes(store_, options_, graves_);
  if (wanted == 0) return old.size();
  Reached kept = reached();
  std::uint64_t goes = unreached_bytes(kept);
  for (std::size_t i = 0; i < old.size(); ++i) {
    for (const LayerId& id : old[i].record.layers.ids()) {
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
  const Reached of_images = options_.only ? reached() : Reached();
  for (StepRecord& step : store_.steps.list()) {
    const std::int64_t used = store_.steps.last_used(step.key);
    if (used / 1'000'000'000 < before_ &&
        !held_.contains("steps/" + step.key.hex()) &&
        (!options_.only || is_wanted_gone(step, of_images)))
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
    if (!options_.dry_run) graves_.add(store_.layers.take_away(id), size);
  }
  for (const auto& [digest, size] : blobs_) {
    if (kept.blobs.contains(digest)) continue;
    ++report_.blobs;
    if (!options_.dry_run) store_.blobs.remove(digest);
  }
}

// What kills left: names of layers that are gone.
void Pruner::drop_dead_names() {
  const auto diffs =
      try_openat(AT_FDCWD, store_.root() + "/diffs", O_RDONLY | O_DIRECTORY);
  if (diffs)
    for (const std::string& name : list_dir(diffs->get()))
      if (!store_.layers.exists(readlink_at(diffs->get(), name)))
        remove_tree_at(diffs->get(), name);
}

// What kills left: files of claims.
void Pruner::drop_dead_claims() {
  const Fd locks = open_path(store_.root() + "/locks", O_RDONLY | O_DIRECTORY);
  for (const std::string& name : list_dir(locks.get()))
    if (name.starts_with("step-") || name.starts_with("fetch-"))
      remove_tree_at(locks.get(), name);
}

}  // namespace cbuild::store
