#include "builder/publish.h"

#include <algorithm>

#include "base/cgroups.h"
#include "base/text.h"
#include "builder/share.h"
#include "builder/stand_back.h"
#include "registry/cache_storage.h"

namespace cbuild::builder {
namespace {

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
    stand_back();
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

namespace {

store::ImageConfig final_config(const Plan& plan, const Engine& engine,
                                const std::vector<store::LayerBlob>& blobs) {
  store::ImageConfig config = plan.image;
  match_layers(config.history, blobs.size());
  std::vector<StepId> steps = new_layers(plan);
  std::erase_if(steps, [&](StepId id) { return is_context_load(plan, id); });
  set_layer_times(config.history, plan, engine, steps);
  complete_times(config.history);
  if (!config.history.empty()) config.created = config.history.back().created;
  config.diff_ids.clear();
  for (const store::LayerBlob& blob : blobs)
    config.diff_ids.push_back(blob.diff_id);
  return config;
}

// A document of the image, and what it is known by.
struct Document {
  explicit Document(std::string text)
      : json(std::move(text)), digest(store::sha256(json)) {}
  std::string json;
  store::Digest digest;
};

// Whether the store has them, synced: only what index.json names was.
bool is_published(const store::Store& store,
                  const std::vector<store::NamedImage>& images,
                  const Document& manifest, const Document& config) {
  return std::any_of(images.begin(), images.end(),
                     [&](const store::NamedImage& image) {
                       return image.manifest.digest == manifest.digest;
                     }) &&
         store.blobs.read(manifest.digest) && store.blobs.read(config.digest);
}

bool has_name(const std::vector<store::NamedImage>& images,
              const store::Digest& manifest, const std::string& name) {
  return std::any_of(
      images.begin(), images.end(), [&](const store::NamedImage& image) {
        return image.manifest.digest == manifest && image.name == name;
      });
}

}  // namespace

Published publish(const Plan& plan, Engine& engine, Tarballs& tarballs,
                  const BuildRequest& request, store::Store& store) {
  std::vector<store::LayerId> layers;
  if (plan.top) layers = engine.result(*plan.top).layers.ids();
  engine.fetch_missing(layers);
  const std::vector<store::LayerBlob> blobs = tarballs.collect(layers);

  const Document config(store::to_json(final_config(plan, engine, blobs)));
  store::Manifest described{
      .media_type = store::media::kOciManifest,
      .config = descriptor(store::media::kOciConfig, config.digest,
                           config.json.size())};
  for (const store::LayerBlob& blob : blobs)
    described.layers.push_back(descriptor(
        store::layer_media_type(blob.compression), blob.digest, blob.size));
  described.annotations.insert(request.annotations.begin(),
                               request.annotations.end());
  if (request.inline_cache)
    described.annotations[registry::kInlineCache] = inline_cache(
        shared_records(plan, engine, store, tarballs.options(), false));
  const Document manifest(store::to_json(described));
  store::Descriptor result = descriptor(store::media::kOciManifest,
                                        manifest.digest, manifest.json.size());
  result.platform = plan.image.platform;

  store.images.hold(result);
  const std::vector<store::NamedImage> images = store.images.list();
  const bool known = is_published(store, images, manifest, config);
  if (!known) {
    store.blobs.put(config.json, config.digest);
    store.blobs.put(manifest.json, manifest.digest);
    store.sync();
  }
  std::vector<store::ImageStore::Name> names;
  bool tagged = known;
  for (const registry::Reference& tag : request.tags) {
    names.push_back({tag.text(), tag.familiar()});
    tagged = tagged && has_name(images, manifest.digest, tag.text());
  }
  if (!tagged) store.images.tag(names, result);
  return {result, config.digest, !known};
}

}  // namespace cbuild::builder
