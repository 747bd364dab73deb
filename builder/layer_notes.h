// What a user should hear of a layer that was just made.
#pragma once

#include "store/layer_index.h"

namespace cbuild::builder {

// One line of warning for each kind of oddity, naming the first such file:
//   sockets, which a layer cannot hold;
//   names that begin with .wh., which in a layer delete another file;
//   files of a gigabyte and more that are nearly all holes, because the layer's
//   tarball has their zeros.
void note_oddities(const store::LayerIndex& index, int tree);

}  // namespace cbuild::builder
