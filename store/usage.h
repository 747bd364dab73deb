// How much disk the parts of a store take.
//
// Counted in allocated blocks, so that the sum agrees with du(1). In bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "store/store.h"

namespace cbuild::store {

// Blocks of `path` and all below it; a file with several names counts once. 0
// where it does not exist.
std::uint64_t allocated(const std::string& path);

struct UsagePart {
  const char* what;              // "layers"
  std::size_t count = 0;         // things in it; of "other" none
  std::uint64_t bytes = 0;
  std::uint64_t reclaimable = 0;  // what no image with a name needs
};

struct Usage {
  // In this order: blobs, layers, cache-mounts, steps, contexts, web, git,
  // refs, logs, tmp, other.
  std::vector<UsagePart> parts;

  std::uint64_t total() const;
  std::uint64_t reclaimable() const;
  const UsagePart& part(const std::string& what) const;
};

Usage usage(Store& store);

// The sum alone, cheaply: layers that were counted before are not walked again.
std::uint64_t total_bytes(Store& store);

// Of the file system that holds the store.
struct DiskSpace {
  std::uint64_t total = 0;
  std::uint64_t free = 0;  // for this user
};
DiskSpace disk_space(const Store& store);

}  // namespace cbuild::store
