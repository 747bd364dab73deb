// `--filter` of prune, as docker buildx has it.
//
//   NAME, NAME=VALUE, NAME!=VALUE, NAME~=REGEX (POSIX extended, anywhere in it)
//
// Several must all hold. Names: id (VALUE is a regex), type, description, parents
// (parent), inuse, mutable, immutable, shared, private (without a value); until
// (unused-for), whose VALUE is a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "store/prune.h"

namespace cbuild::cli {

struct PruneFilter {
  std::optional<std::int64_t> unused_for;               // seconds
  std::function<bool(const store::CacheItem&)> only;    // empty: no such filter
};

// Throws UsageError.
PruneFilter read_prune_filters(const std::vector<std::string>& filters);

}  // namespace cbuild::cli
