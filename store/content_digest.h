// The digest by which a file's content is known inside the store and in step
// keys. What registries see are plain SHA-256 digests of tarballs and blobs.
//
// Up to kContentPiece bytes it is their SHA-256. Of a larger file it is the
// first half of the SHA-512 of its pieces' SHA-256 digests, one after the other
// (32 bytes each; all pieces but the last have kContentPiece bytes): a large
// file is hashed on several processors, and a piece of zeros costs nothing. The
// other function on top keeps a small file from having a large one's digest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/digest.h"

namespace cbuild::store {

inline constexpr std::uint64_t kContentPiece = std::uint64_t{4} << 20;
// From this size on several threads are worth it for one file.
inline constexpr std::uint64_t kLargeContent = 2 * kContentPiece;

// Of a stream. Move-only; one thread at a time.
class ContentHasher {
 public:
  void update(std::string_view data);
  // The same as update() with that many zero bytes.
  void skip(std::uint64_t zeros);
  // Call once.
  Digest finish();

 private:
  std::uint64_t room();  // left in the open piece, at least one byte
  void feed_zeros();
  Digest piece_digest();
  void close_piece();

  Hasher piece_;
  std::uint64_t size_ = 0;   // of the open piece
  std::uint64_t zeros_ = 0;  // that it begins with and piece_ has not seen
  std::optional<HalfSha512> before_;  // the digests of the pieces before it
};

Digest content_digest(std::string_view content);

// Of an open file of `size` bytes, read on up to `threads` threads; holes are
// not read. `name` is for errors: throws Error where the file has not that
// size, SystemError where it cannot be read.
Digest content_digest(int fd, std::uint64_t size, const std::string& name,
                      unsigned threads);

}  // namespace cbuild::store
