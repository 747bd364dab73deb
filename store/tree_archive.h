// A directory as one tarball: a layer's without the layer.
#pragma once

#include <string>

#include "store/stream.h"

namespace cbuild::store {

// Owners, modes, times, links and file capabilities are kept; sockets are not.
// zstd, on `threads` threads. Throws Error for a file that changes meanwhile
// and for names that mean something in a layer (.wh.*).
void save_tree(const std::string& directory, const ByteSink& out,
               unsigned threads);

// Into an empty directory; compressed or not. Nothing in the archive leads out
// of it.
void load_tree(const std::string& directory, ByteSource archive);

}  // namespace cbuild::store
