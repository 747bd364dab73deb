// --cache-from and --cache-to: docker's and buildx's words for where step
// records are shared.
#pragma once

#include "builder/build.h"
#include "cli/command.h"

namespace cbuild::cli {

// Throws UsageError for kinds and attributes that are unknown or not there.
// Sets request.inline_cache, cache_timeout; fills the environment's places.
void read_cache_flags(const Session& session, builder::BuildRequest& request,
                      std::vector<builder::CachePlace>& from,
                      std::vector<builder::CachePlace>& to);

}  // namespace cbuild::cli
