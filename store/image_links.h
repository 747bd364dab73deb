// What an image's documents name, remembered by its manifest's digest. Private
// to store/.
//
//   <root>/image-links   "<CRC-32 of what follows>\n", and lines
//     "<manifest> <blobs> <digest>...\n": hex digests, as many of blobs
//     (config, layers) as the number says, then diffIDs
//
// Of a thousand images reading the documents costs more than all else that
// du(1) would do. What a digest names never changes. A file that is not there,
// or not as it was written, only means reading again: prune must not take a
// layer for unneeded because a digit of it was lost.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "store/blob_store.h"

namespace cbuild::store {

struct Links {
  std::vector<Digest> blobs;
  std::vector<Digest> diff_ids;
};

class ImageLinks {
 public:
  explicit ImageLinks(const std::string& root);
  ImageLinks(const ImageLinks&) = delete;
  ImageLinks& operator=(const ImageLinks&) = delete;

  // Of a manifest. What is absent names nothing. Throws Error where it is no
  // image's.
  Links of(const BlobStore& blobs, const Digest& manifest);

  // Writes what is new, and drops what was not asked for.
  void save();

 private:
  std::string root_;
  std::string text_;
  std::map<Digest, std::string_view> known_;  // lines of text_
  std::map<Digest, std::string> asked_;       // lines
};

}  // namespace cbuild::store
