// A step record as it travels between stores: layers go by diffID and blob,
// since the ids of one store mean nothing to another.
//
// Text: the hex SHA-256 of the rest, a line end, and fields (builder/fields.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/layer_store.h"
#include "store/step_cache.h"

namespace cbuild::builder {

struct SharedLayer {
  store::LayerBlob blob;
  bool of_base = false;  // a base image's: it is had from there
};

struct SharedRecord {
  store::StepRecord record;  // its `layers` are empty
  std::vector<SharedLayer> layers;
};

std::string to_text(const SharedRecord& shared);
// nullopt for what does not verify or is of another key or version.
std::optional<SharedRecord> shared_record(std::string_view text,
                                          const store::Digest& key);

// As a manifest names it.
store::Descriptor descriptor_of(const store::LayerBlob& blob);

}  // namespace cbuild::builder
