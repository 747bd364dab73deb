// Finding an image by what a person calls it.
#pragma once

#include <optional>
#include <string>

#include "store/store.h"

namespace cbuild::cli {

// By name ("app", "app:1", "app@sha256:..."), or by image or manifest id, or a
// prefix of one. A name is tried first, as docker does. Throws Error "No such
// image: x" with the nearest name there is.
store::Descriptor find_image(const store::Store& store,
                             const std::string& text);

// The full name with tag that `text` stands for, where it is a name; nullopt
// where it can only be an id.
std::optional<std::string> full_name(const std::string& text);

// Names for the archive reader and for tagging.
store::ImageStore::Name normalize_name(const std::string& text);

// The id of a layer of an image, registered where it was not yet known.
store::LayerId layer_of(store::Store& store, const store::Image& image,
                        std::size_t layer);

// Bytes of the files in a layer; of one whose content was never fetched, the
// size of its tarball.
std::uint64_t layer_size(store::Store& store, const store::Image& image,
                         std::size_t layer);
std::uint64_t image_size(store::Store& store, const store::Image& image);

}  // namespace cbuild::cli
