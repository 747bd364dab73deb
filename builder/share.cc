#include "builder/share.h"

#include <map>

#include "base/text.h"

namespace cbuild::builder {
namespace {

using Outcome = StepReport::Outcome;
using BaseLayers = std::map<store::LayerId, store::LayerBlob>;

BaseLayers base_layers(const Plan& plan, const Engine& engine) {
  BaseLayers layers;
  for (const Step& step : plan.steps) {
    const auto* image = std::get_if<ImageStep>(&step.node);
    if (image == nullptr) continue;
    const std::vector<store::LayerId> ids = engine.layers(step.id);
    const auto& blobs = image->image.manifest.layers;
    for (std::size_t i = 0; i < ids.size() && i < blobs.size(); ++i)
      layers.insert_or_assign(
          ids[i], store::LayerBlob{image->image.config.diff_ids[i],
                                   blobs[i].digest, blobs[i].size,
                                   store::compression_of(blobs[i].media_type)});
  }
  return layers;
}

class Sharer {
 public:
  Sharer(const Plan& plan, const Engine& engine, store::Store& store,
         const store::TarballOptions& options)
      : bases_(base_layers(plan, engine)), store_(store), options_(options) {}

  // nullopt where the record or one of its layers is not here.
  std::optional<SharedRecord> share(const store::Digest& key) {
    auto record = store_.steps.find(key);
    if (!record) return std::nullopt;
    std::vector<SharedLayer> layers;
    for (const store::LayerId& id : record->layers.ids()) {
      auto layer = share_layer(id);
      if (!layer) return std::nullopt;
      layers.push_back(std::move(*layer));
    }
    record->layers = {};
    return SharedRecord{std::move(*record), std::move(layers)};
  }

 private:
  std::optional<SharedLayer> share_layer(const store::LayerId& id) {
    if (const auto base = bases_.find(id); base != bases_.end())
      return SharedLayer{base->second, true};
    const auto known = store_.layers.recorded_blob(id);
    const bool here = store_.layers.has_tree(id) ||
                      (known && store_.blobs.size(known->digest));
    if (!here) return std::nullopt;
    return SharedLayer{store_.layers.tarball(id, options_), false};
  }

  BaseLayers bases_;
  store::Store& store_;
  store::TarballOptions options_;
};

}  // namespace

std::vector<SharedRecord> shared_records(const Plan& plan, const Engine& engine,
                                         store::Store& store,
                                         const store::TarballOptions& options,
                                         bool all) {
  Sharer sharer(plan, engine, store, options);
  std::vector<SharedRecord> records;
  for (const Step& step : plan.steps) {
    if (std::holds_alternative<ImageStep>(step.node)) continue;
    if (!all && !engine.on_the_way(step.id)) continue;
    const Outcome outcome = engine.outcome(step.id);
    if (outcome != Outcome::cached && outcome != Outcome::rebuilt) continue;
    for (const auto& key :
         {engine.record_key(step.id), engine.declared_key(step.id)})
      if (key)
        if (auto record = sharer.share(*key))
          records.push_back(std::move(*record));
  }
  return records;
}

std::string inline_cache(const std::vector<SharedRecord>& records) {
  std::string text;
  for (const SharedRecord& record : records)
    text +=
        record.record.key.hex() + " " + base64_encode(to_text(record)) + "\n";
  return text;
}

}  // namespace cbuild::builder
