// An OCI image layout that somebody else keeps in a directory (image-spec,
// image-layout.md); only read.
#pragma once

#include <optional>
#include <string>

#include "store/store.h"

namespace cbuild::store {

class OciLayout {
 public:
  // Throws Error where the directory is no layout.
  explicit OciLayout(std::string directory);

  // The entry of index.json with this org.opencontainers.image.ref.name.
  std::optional<Descriptor> find(const std::string& tag) const;
  // The entry with that digest, or what the blob itself says it is.
  std::optional<Descriptor> find(const Digest& digest) const;

  // Brings the documents of an image, or of an index, into the store, each
  // verified, and loads the image for `platform`. No layer is copied.
  Image load(Store& store, const Descriptor& descriptor,
             const Platform& platform) const;

  // Brings the image's layers into the store, verified, where they are missing.
  void copy_layers(Store& store, const Image& image) const;

 private:
  std::optional<std::string> read(const Digest& digest) const;
  void copy_documents(Store& store, const Descriptor& descriptor,
                      int depth) const;

  std::string directory_;
  Index index_;
};

}  // namespace cbuild::store
