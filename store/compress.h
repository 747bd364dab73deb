// gzip and zstd, both ways: the only user of libdeflate, libzstd and ISA-L.
//
// Compression cuts its input into chunks of a fixed size, each of which becomes
// a member (gzip) or frame (zstd) of its own; every reader takes several. So
// the bytes do not depend on the number of threads. ISA-L is loaded when it is
// first wanted; without it everything still works, slower.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "store/image.h"
#include "store/stream.h"

namespace cbuild::store {

// From the first bytes of a blob; anything that is no gzip or zstd is none.
Compression sniff(std::string_view start);

// The plain bytes of a stream that is compressed or not, decided by its
// content. Reading throws Error where the stream is damaged or cut short.
ByteSource decompressed(ByteSource source);

// Compresses a stream on `threads` threads and hands it to `sink` in order: on
// one more thread, where there are several, so that hashing and writing the
// result does not hold up who writes here. Not any more once finish() or the
// destructor is back.
class Compressor {
 public:
  Compressor(ByteSink sink, Compression compression, bool fast,
             unsigned threads);
  ~Compressor();

  // Rethrows what the sink threw.
  void write(std::string_view data);
  // Writes what is left. Nothing may follow. Rethrows.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// CRC-32 of the data, for files that are checked whenever they are read;
// `before` is that of what stands before it.
std::uint32_t crc32(std::string_view data, std::uint32_t before = 0);

}  // namespace cbuild::store
