// The oracle: is an image what it says it is?
#pragma once

#include <string>
#include <vector>

#include "store/store.h"

namespace cbuild::store {

struct CheckOptions {
  // Also reads the trees that the store has of the image's layers, and compares
  // them with their indexes.
  bool trees = false;
};

// Recomputes every digest, size and diffID of the image (of an index: of all
// its images that are here) and takes its tarballs apart: parents before
// children, no path twice, hard links to what came before, history that fits
// the layers, and indexes in the store that say what the tarballs say. Returns
// one sentence per problem; none for a sound image.
std::vector<std::string> check_image(Store& store, const Descriptor& image,
                                     const CheckOptions& options = {});

}  // namespace cbuild::store
