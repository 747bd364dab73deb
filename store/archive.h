// Images as archives: docker save's format and OCI layouts in a tar.
//
// load() reads either, plain or compressed (gzip, zstd, bzip2, xz); save()
// writes either. Layers stream; nothing is held in memory.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "store/store.h"

namespace cbuild::store {

struct LoadedImage {
  std::vector<ImageStore::Name> names;  // as the archive has them, normalised
  Descriptor manifest;
};

// Reads an archive from `fd` and stores its images' blobs, layers and
// manifests, every digest and diffID verified; an error before the end of the
// checks leaves nothing. `normalize` turns a name found in the archive into its
// full and familiar form. Names are tagged by the caller. An image that the
// archive names twice may come back twice.
std::vector<LoadedImage> load_archive(
    Store& store, int fd,
    const std::function<ImageStore::Name(const std::string&)>& normalize);

enum class ArchiveFormat { docker, oci };

struct SavedImage {
  Image image;
  std::vector<std::string> names;  // familiar, with tag
};

// Writes the images to `fd`. The docker form holds manifest.json, the configs
// and layers (as stored: gzip is accepted by docker load) and also an OCI
// layout's index.json, as docker 25 and later write.
void save_archive(Store& store, const std::vector<SavedImage>& images,
                  ArchiveFormat format, int fd);

}  // namespace cbuild::store
