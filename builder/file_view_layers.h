// The half of FileView that reads the indexes of layers; private to it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "builder/copy_xattrs.h"
#include "builder/file_view.h"

namespace cbuild::builder {

// The members mean what FileView's do.
class LayerTree {
 public:
  explicit LayerTree(std::shared_ptr<const store::MergedIndex> index);

  std::optional<ViewEntry> find(const std::string& path) const;
  std::vector<ViewEntry> list(const std::string& path) const;
  store::Digest content(const std::string& path, const ViewEntry& entry) const;
  Xattrs xattrs(const std::string& path, const ViewEntry& entry) const;
  std::string link_target(const std::string& path,
                          const ViewEntry& entry) const;
  std::string link_id(const std::string& path, const ViewEntry& entry) const;
  std::optional<std::string> resolve(const std::string& path) const {
    return index_->resolve(path);
  }

 private:
  ViewEntry entry_of(const store::IndexEntry& found, std::string name) const;

  std::shared_ptr<const store::MergedIndex> index_;
  std::unordered_set<std::string_view> linked_;  // targets of hard links
};

}  // namespace cbuild::builder
