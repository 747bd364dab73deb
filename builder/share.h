// The records of a build, in the form in which other stores can use them.
#pragma once

#include <string>
#include <vector>

#include "builder/engine.h"
#include "builder/plan.h"
#include "builder/shared_record.h"

namespace cbuild::builder {

// Of the steps on the way to the image, or with `all` of every stage: tarballs
// of layers that have none are made then. Steps whose layers are not here are
// left out.
std::vector<SharedRecord> shared_records(const Plan& plan, const Engine& engine,
                                         store::Store& store,
                                         const store::TarballOptions& options,
                                         bool all);

// As the annotation registry::kInlineCache.
std::string inline_cache(const std::vector<SharedRecord>& records);

}  // namespace cbuild::builder
