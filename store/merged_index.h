// The file system that a chain of layers makes, seen through their indexes.
//
// Used for COPY --from keys, history and verification; reads no tree.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/layer_index.h"

namespace cbuild::store {

class MergedIndex {
 public:
  // `layers`, lowest first; whiteouts and opaque directories are applied. A
  // directory that only its contents imply gets an entry: 0755, owner 0, time
  // 0. A hard link whose first name a higher layer took away becomes the file.
  explicit MergedIndex(
      const std::vector<std::shared_ptr<const LayerIndex>>& layers);
  MergedIndex(MergedIndex&&) =
      default;  // no copies: entries_ points into made_
  MergedIndex& operator=(MergedIndex&&) = default;

  // The entry at exactly `path` (no symbolic link followed), or nullptr. The
  // root "" is nullptr.
  const IndexEntry* find(std::string_view path) const;

  // All entries, sorted as in a LayerIndex; hardlink targets are paths here.
  const std::vector<const IndexEntry*>& entries() const { return entries_; }

  // Entries at `path` and below it; of the root: all.
  std::pair<std::size_t, std::size_t> range(std::string_view path) const;

  // Follows symbolic links, of parents and of the last component, inside the
  // root; returns the path without any, or nullopt where nothing is there.
  std::optional<std::string> resolve(std::string_view path) const;

 private:
  void restore_links();

  std::vector<std::shared_ptr<const LayerIndex>> layers_;
  std::deque<IndexEntry> made_;  // entries that no layer has as they are
  std::vector<const IndexEntry*> entries_;
};

}  // namespace cbuild::store
