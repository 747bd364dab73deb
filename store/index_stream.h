// The file of a layer index, written and read entry by entry. Private to
// store/. The format is described in index_format.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/layer_index.h"

namespace cbuild::store {

class IndexWriter {
 public:
  // `file`: empty, open for reading and writing; outlives the writer. `name` is
  // for errors.
  IndexWriter(int file, std::string name);

  void add(const IndexEntry& entry);
  // Completes the file. Nothing may follow.
  void finish();

 private:
  void flush();
  std::uint32_t checksum(std::string_view count) const;

  int file_;
  std::string name_;
  std::string buffer_;    // entries that are not in the file yet
  std::string previous_;  // the last entry's path
  std::uint64_t count_ = 0;
  std::uint64_t written_ = 0;  // bytes of entries in the file
};

class IndexReader {
 public:
  // `data`, a whole file, outlives the reader. nullopt where it is damaged or
  // of another version.
  static std::optional<IndexReader> open(std::string_view data);

  // How many entries there are to come.
  std::uint64_t left() const { return left_; }
  // The next one; nullopt where what follows is none.
  std::optional<IndexEntry> next();
  // Whether all of `data` was read.
  bool at_end() const { return left_ == 0 && rest_.empty(); }

 private:
  IndexReader(std::string_view rest, std::uint64_t entries)
      : rest_(rest), left_(entries) {}

  std::string_view rest_;
  std::uint64_t left_;
  std::string previous_;
};

// All entries of a file that open() takes. Throws Error where one is none.
void each_entry(std::string_view data, const EntrySink& take);

}  // namespace cbuild::store
