// How much disk the parts of a store take.
//
// Counted in allocated blocks, so that the sum agrees with du(1). In bytes.
#pragma once

#include <cstdint>
#include <string>

#include "store/store.h"

namespace cbuild::store {

// Blocks of `path` and all below it; a file with several names counts once. 0
// where it does not exist.
std::uint64_t allocated(const std::string& path);

struct Usage {
  std::uint64_t blobs = 0;   // manifests, configs, tarballs
  std::uint64_t layers = 0;  // trees and indexes
  std::uint64_t cache_mounts = 0;
  std::uint64_t other = 0;  // records, logs, what is being written
  // Of blobs and layers, what images with a name need.
  std::uint64_t needed = 0;

  std::uint64_t total() const { return blobs + layers + cache_mounts + other; }
};

Usage usage(Store& store);

}  // namespace cbuild::store
