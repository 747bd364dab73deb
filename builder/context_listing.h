// What of a directory would be a build's context, and what is left out by which
// line of its ignore file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "builder/build.h"
#include "store/layer_index.h"

namespace cbuild::builder {

struct ContextItem {
  std::string path;  // relative
  store::EntryType type = store::EntryType::file;
  std::uint64_t size = 0;  // bytes; of a directory the sum of what is below
  std::string place;       // ".dockerignore:3" where it is excluded
  std::string pattern;     // that line's

  bool excluded() const { return !place.empty(); }
};

// In the order of a walk, names sorted. A directory has an item only where it
// is excluded as a whole or has nothing in it; sizes of excluded directories
// are counted only where `sizes` asks for it. Needs no Dockerfile unless
// `request` names one. Throws UsageError as a build does.
std::vector<ContextItem> list_context(const BuildRequest& request, bool sizes);

}  // namespace cbuild::builder
