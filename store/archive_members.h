// The members of an image archive, staged. Private to store/.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/blob_store.h"
#include "store/image.h"
#include "store/stream.h"

namespace cbuild::store {

// A regular file of the archive.
struct Member {
  Digest digest;
  std::uint64_t size = 0;
  Compression compression = Compression::none;
  std::size_t writer = 0;
};

class Members {
 public:
  explicit Members(BlobStore& blobs) : blobs_(blobs) {}

  // Reads a whole archive, plain or compressed.
  void read(ByteSource archive);

  // By name, through symbolic and hard links; nullptr where there is none.
  const Member* find(const std::string& name) const;
  // As find(), but throws Error, naming it.
  const Member& named(const std::string& name) const;
  const Member* blob(const Digest& digest) const;

  // Whole content; for JSON. Throws Error where it is too large for that.
  std::string text(const Member& member) const;
  // Digest of the uncompressed content.
  Digest diff_id(const Member& member) const;

  // Makes the blob part of the store; a second time does nothing.
  void publish(const Digest& digest);

 private:
  void stage(const std::string& name, class TarReader& tar);

  BlobStore& blobs_;
  std::vector<std::optional<BlobWriter>> writers_;
  std::map<std::string, Member> files_;
  std::map<std::string, std::string> links_;
  std::map<Digest, std::string> by_digest_;
};

}  // namespace cbuild::store
