// What a COPY or a mount selected, file by file, in a form small enough to
// keep, so that a later build can say which files made it miss.
//
// The first kMaxFiles entries of the walk stand for themselves; what comes
// after is summed up by its top directory. The text is one line an entry:
// "<type> <mode> <uid>:<gid> <16 hex of the content> <path>", with line ends in
// paths written as \n. It only explains: no key depends on it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cbuild::builder {

struct ListedFile {
  std::string type;  // "file", "directory", "link", ...
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string content;  // hex; of a link its target's
};

class FileListing {
 public:
  static constexpr std::size_t kMaxFiles = 10000;

  void add(const std::string& path, ListedFile file);

  std::string text() const;
  // Lines that make no sense are left out.
  static FileListing parse(std::string_view text);

  // What is different since `earlier`, a clause for each kind of difference:
  // "src/a.c: content", "mode 0664 -> 0644 on 12 files", "3 files added (b, c
  // and 1 more)". Empty where nothing is.
  std::vector<std::string> changes_since(const FileListing& earlier) const;

 private:
  void add_to_rest(const std::string& path, const ListedFile& file);

  std::map<std::string, ListedFile> files_;
};

}  // namespace cbuild::builder
