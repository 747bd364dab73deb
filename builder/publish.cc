#include "builder/publish.h"

#include <algorithm>

#include "base/cgroups.h"
#include "base/text.h"
#include "builder/share.h"
#include "registry/cache_storage.h"

namespace cbuild::builder {
namespace {

const char* media_type(store::Compression compression) {
  switch (compression) {
    case store::Compression::none:
      return store::media::kOciLayer;
    case store::Compression::gzip:
      return store::media::kOciLayerGzip;
    case store::Compression::zstd:
      return store::media::kOciLayerZstd;
  }
  return "";
}

// Steps that made a layer, from the base upwards.
std::vector<StepId> new_layers(const Plan& plan) {
  std::vector<StepId> steps;
  for (auto id = plan.top; id; id = plan.steps[*id].parent)
    if (!std::holds_alternative<ImageStep>(plan.steps[*id].node))
      steps.push_back(*id);
  std::reverse(steps.begin(), steps.end());
  return steps;
}

bool is_context_load(const Plan& plan, StepId id) {
  return plan.steps[id].name.rfind("[context ", 0) == 0;
}

std::size_t layer_entries(const std::vector<store::History>& history) {
  return static_cast<std::size_t>(
      std::count_if(history.begin(), history.end(),
                    [](const store::History& h) { return !h.empty_layer; }));
}

// Makes the entries with a layer as many as there are layers: a base image may
// have none for some of its own, or too many.
void match_layers(std::vector<store::History>& history, std::size_t layers) {
  std::size_t entries = layer_entries(history);
  for (store::History& entry : history) {
    if (entries <= layers) break;
    if (entry.empty_layer) continue;
    entry.empty_layer = true;
    --entries;
  }
  store::History unknown;
  unknown.comment = "buildkit.exporter.image.v0";
  history.insert(history.begin(), layers - std::min(entries, layers), unknown);
}

// Entries that this build added are the last ones; each with a layer belongs to
// one of `steps`, in order.
void set_layer_times(std::vector<store::History>& history, const Plan& plan,
                     const Engine& engine, const std::vector<StepId>& steps) {
  auto step = steps.rbegin();
  for (auto entry = history.rbegin();
       entry != history.rend() && step != steps.rend(); ++entry) {
    if (entry->empty_layer || !entry->created.empty()) continue;
    const StepResult result = engine.result(*step++);
    entry->created = rfc3339(result.created, result.created_nanoseconds);
  }
  if (!plan.source_date_epoch) return;
  for (store::History& entry : history)
    if (entry.created.empty()) entry.created = rfc3339(*plan.source_date_epoch);
}

store::Descriptor descriptor(const std::string& type,
                             const store::Digest& digest, std::uint64_t size) {
  return {.media_type = type, .digest = digest, .size = size};
}

}  // namespace

Tarballs::Tarballs(store::Store& store, const store::TarballOptions& options,
                   std::function<void(const store::LayerBlob&)> on_made)
    : store_(store),
      options_(options),
      on_made_(std::move(on_made)),
      workers_(usable_cpus()) {}

void Tarballs::start(const store::LayerId& layer) {
  workers_.submit([this, layer] {
    if (store_.layers.known_tarball(layer, options_.compression)) return;
    const store::LayerBlob blob = store_.layers.tarball(layer, options_);
    written_ += blob.size;
    if (on_made_) on_made_(blob);
  });
}

std::vector<store::LayerBlob> Tarballs::collect(
    const std::vector<store::LayerId>& layers) {
  workers_.wait();
  std::vector<store::LayerBlob> blobs;
  for (const store::LayerId& layer : layers)
    blobs.push_back(store_.layers.tarball(layer, options_));
  return blobs;
}

void complete_times(std::vector<store::History>& history) {
  std::string created;
  bool gap = false;
  for (const store::History& entry : history) {
    if (entry.created.empty()) {
      gap = true;
      continue;
    }
    created = entry.created;
    if (gap) break;
  }
  gap = false;
  for (store::History& entry : history) {
    if (!entry.created.empty()) {
      if (gap) created = entry.created;
    } else {
      gap = true;
      entry.created = created;
    }
  }
}

Published publish(const Plan& plan, Engine& engine, Tarballs& tarballs,
                  const BuildRequest& request, store::Store& store) {
  std::vector<store::LayerId> layers;
  if (plan.top) layers = engine.result(*plan.top).layers;
  engine.fetch_missing(layers);
  const std::vector<store::LayerBlob> blobs = tarballs.collect(layers);

  store::ImageConfig config = plan.image;
  match_layers(config.history, layers.size());
  std::vector<StepId> steps = new_layers(plan);
  std::erase_if(steps, [&](StepId id) { return is_context_load(plan, id); });
  set_layer_times(config.history, plan, engine, steps);
  complete_times(config.history);
  if (!config.history.empty()) config.created = config.history.back().created;
  config.diff_ids.clear();
  for (const store::LayerBlob& blob : blobs)
    config.diff_ids.push_back(blob.diff_id);

  const std::string config_json = store::to_json(config);
  const store::Digest config_digest = store::sha256(config_json);
  store::Manifest manifest{
      .media_type = store::media::kOciManifest,
      .config = descriptor(store::media::kOciConfig, config_digest,
                           config_json.size())};
  for (const store::LayerBlob& blob : blobs)
    manifest.layers.push_back(
        descriptor(media_type(blob.compression), blob.digest, blob.size));
  manifest.annotations.insert(request.annotations.begin(),
                              request.annotations.end());
  if (request.inline_cache)
    manifest.annotations[registry::kInlineCache] = inline_cache(
        shared_records(plan, engine, store, tarballs.options(), false));
  const std::string manifest_json = store::to_json(manifest);
  store::Descriptor result =
      descriptor(store::media::kOciManifest, store::sha256(manifest_json),
                 manifest_json.size());
  result.platform = config.platform;

  // Only what index.json has was synced.
  const std::vector<store::NamedImage> images = store.images.list();
  const auto listed = [&](const auto& matches) {
    return std::any_of(images.begin(), images.end(),
                       [&](const store::NamedImage& image) {
                         return image.manifest.digest == result.digest &&
                                matches(image);
                       });
  };
  const bool known = listed([](const auto&) { return true; }) &&
                     store.blobs.read(result.digest) &&
                     store.blobs.read(config_digest);
  if (!known) {
    store.blobs.put(config_json, config_digest);
    store.blobs.put(manifest_json, result.digest);
    store.sync();
  }
  std::vector<store::ImageStore::Name> names;
  bool tagged = known;
  for (const registry::Reference& tag : request.tags) {
    names.push_back({tag.text(), tag.familiar()});
    tagged = tagged && listed([&](const store::NamedImage& image) {
               return image.name == tag.text();
             });
  }
  if (!tagged) store.images.tag(names, result);
  return {result, config_digest, !known};
}

}  // namespace cbuild::builder
