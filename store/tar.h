// Reading and writing tar streams: the only user of libarchive.
//
// Works on IndexEntry, so that a layer's entry, a tar header and a file on disk
// are described in one form. Throws Error with the entry's name in it.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "store/layer_index.h"
#include "store/stream.h"

namespace cbuild::store {

// Reads the entries of a tar in order. Decompresses gzip, bzip2, xz and zstd
// where `decompress` is set, by content.
class TarReader {
 public:
  TarReader(ByteSource source, bool decompress);
  ~TarReader();

  // The next entry with the name exactly as the archive has it (it may be
  // absolute or hold ".."), or nullopt at the end. Content is read before the
  // next call. `content` and `opaque` are not set; whiteouts are plain files.
  std::optional<IndexEntry> next();

  // Content of the current file entry.
  std::size_t read(char* buffer, std::size_t size);
  // As read(), but holes of a sparse entry are passed over: returns false at
  // the end, else sets the block and its offset in the file.
  bool read_block(std::string_view& data, std::uint64_t& offset);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What a gzip, bzip2, xz or zstd stream holds, decompressed once. Throws Error
// for another one, and where it is damaged.
ByteSource filtered(ByteSource source);

// Writes a deterministic PAX tar: numeric owners, no names of owners, PAX
// records only where ustar has no room (long names, nanoseconds, large ids,
// xattrs as SCHILY.xattr.*).
class TarWriter {
 public:
  explicit TarWriter(ByteSink sink);
  ~TarWriter();

  // Starts an entry; a whiteout becomes the empty file .wh.<name>, an opaque
  // directory is followed by the empty file .wh..wh..opq in it. For a file
  // exactly entry.size bytes of write() follow. Sockets are left out.
  void add(const IndexEntry& entry);
  void write(std::string_view data);
  // Ends the archive.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cbuild::store
