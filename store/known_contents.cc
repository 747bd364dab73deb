#include "store/known_contents.h"

#include <algorithm>

#include "store/layer_index.h"

namespace cbuild::store {

void KnownContents::add(std::string_view path, const Digest& content) {
  files_.push_back({paths_.size(), path.size(), content});
  paths_ += path;
}

void KnownContents::forget_all() {
  paths_.clear();
  files_.clear();
}

void KnownContents::seal() {
  std::sort(files_.begin(), files_.end(), [this](const File& a, const File& b) {
    return path_less(path_of(a), path_of(b));
  });
  next_ = 0;
}

std::optional<Digest> KnownContents::find(std::string_view path) {
  if (next_ == files_.size() || path_of(files_[next_]) != path) {
    const auto found =
        std::lower_bound(files_.begin(), files_.end(), path,
                         [this](const File& file, std::string_view wanted) {
                           return path_less(path_of(file), wanted);
                         });
    if (found == files_.end() || path_of(*found) != path) return std::nullopt;
    next_ = static_cast<std::size_t>(found - files_.begin());
  }
  return files_[next_++].content;
}

}  // namespace cbuild::store
