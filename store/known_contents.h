// What a step's files contain, by whoever wrote and hashed them, so that the
// scan of the step's tree need not read them again.
//
// Only the writer may say so, of the bytes that it wrote, or of a source that
// was settled (builder/stat_table.h): any other can have changed since it was
// looked at. Paths are those of the layer's index. One thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/digest.h"

namespace cbuild::store {

class KnownContents {
 public:
  // The file at `path` was just written, and has no extended attribute that a
  // layer keeps.
  void add(std::string_view path, const Digest& content);
  // Something that may have been added was replaced or removed.
  void forget_all();

  // Sorts what was added: from here on find() may be called, and add() not.
  void seal();
  // Quick where paths are asked for in the order of an index.
  std::optional<Digest> find(std::string_view path);

  bool empty() const { return files_.empty(); }

 private:
  struct File {
    std::size_t offset;  // of the path in paths_
    std::size_t size;
    Digest content;
  };
  std::string_view path_of(const File& file) const {
    return std::string_view(paths_).substr(file.offset, file.size);
  }

  std::string paths_;
  std::vector<File> files_;
  std::size_t next_ = 0;  // where the next file in order is
};

}  // namespace cbuild::store
