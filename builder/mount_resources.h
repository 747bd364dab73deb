// What the mounts of one RUN need while it runs.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/dir.h"
#include "builder/cache_mounts.h"
#include "runtime/layer_view.h"

namespace cbuild::builder {

struct MountResources {
  // In this order: a root goes before its view, and that before its files.
  std::list<TempDir> copies;  // parts of a context that has ignore rules, too
  std::list<std::unique_ptr<runtime::LayerView>> views;
  std::list<Fd> roots;
  std::list<CacheMount> caches;
  std::string scratch;  // for writes that are thrown away
  std::size_t scratch_count = 0;
  std::vector<std::string> secret_env;
};

}  // namespace cbuild::builder
