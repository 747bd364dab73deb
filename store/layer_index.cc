#include "store/layer_index.h"

#include <algorithm>
#include <cstring>

namespace cbuild::store {

bool path_less(std::string_view a, std::string_view b) {
  const std::size_t common = std::min(a.size(), b.size());
  const auto [x, y] = std::mismatch(
      a.begin(), a.begin() + static_cast<std::ptrdiff_t>(common), b.begin());
  if (x == a.begin() + static_cast<std::ptrdiff_t>(common))
    return a.size() < b.size();
  if (*x == '/' || *y == '/') return *x == '/';
  return static_cast<unsigned char>(*x) < static_cast<unsigned char>(*y);
}

const IndexEntry* LayerIndex::find(std::string_view path) const {
  const auto found =
      std::lower_bound(entries.begin(), entries.end(), path,
                       [](const IndexEntry& entry, std::string_view wanted) {
                         return path_less(entry.path, wanted);
                       });
  return found != entries.end() && found->path == path ? &*found : nullptr;
}

std::uint64_t LayerIndex::total_size() const {
  std::uint64_t total = 0;
  for (const IndexEntry& entry : entries)
    if (entry.type == EntryType::file) total += entry.size;
  return total;
}

}  // namespace cbuild::store
