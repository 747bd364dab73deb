// What a listing shows of an image, remembered by its manifest's digest.
//
//   <root>/image-facts   "<manifest> <config> <bytes> <created>\n", hex digests
//
// Reading two documents and the indexes of all layers for each of a thousand
// images takes seconds; a digest's facts never change. A line that does not
// parse, or a file that is not there, only means looking again.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "store/store.h"

namespace cbuild::cli {

struct ImageFacts {
  store::Digest config;     // the image id
  std::uint64_t bytes = 0;  // docker's SIZE
  std::string created;      // RFC 3339; may be empty

  bool operator==(const ImageFacts&) const = default;
};

class ImageFactsTable {
 public:
  explicit ImageFactsTable(store::Store& store);

  // Throws Error where a document of the image is absent.
  ImageFacts of(const store::Descriptor& image);

  // For an image that is there and not asked for.
  void keep(const store::Descriptor& image);

  // Writes what is new, and drops what was neither asked for nor kept.
  void save();

 private:
  using Facts = std::map<store::Digest, ImageFacts>;

  store::Store& store_;
  Facts before_;
  Facts asked_;
};

}  // namespace cbuild::cli
