// What the mounts of one RUN need while it runs.
#pragma once

#include <list>
#include <string>
#include <vector>

#include "base/dir.h"
#include "builder/cache_mounts.h"

namespace cbuild::builder {

struct MountResources {
  std::list<Fd> roots;
  std::list<CacheMount> caches;
  std::list<TempDir> copies;  // parts of a context that has ignore rules
  std::string scratch;        // for writes that are thrown away
  std::size_t scratch_count = 0;
  std::vector<std::string> secret_env;
};

}  // namespace cbuild::builder
