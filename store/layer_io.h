// A layer's tarball, read and written. Private to store/.
#pragma once

#include <string>
#include <vector>

#include "store/blob_store.h"
#include "store/layer_index.h"
#include "store/layer_store.h"
#include "store/stream.h"

namespace cbuild::store {

struct LayerContent {
  LayerIndex index;
  Digest diff_id;
  // Directories that the tarball has only by the paths below them.
  std::vector<std::string> implied;
};

inline constexpr int kNoTree = -1;

// Reads a tarball, compressed or not, in one pass: into the empty directory
// `tree`, or only to know what it holds (kNoTree; `implied` is empty then).
LayerContent read_layer(ByteSource blob, int tree);

// Writes the tarball of a layer in the order of its index and returns the
// diffID. Throws ChangedFile where a file in `tree` is not what the index says.
Digest write_layer(const EntrySource& entries, int tree,
                   const TarballOptions& options, ByteSink out);

// Writes a plain tarball in the compression of `options`; returns the diffID.
Digest compress_layer(const ByteSource& plain, const TarballOptions& options,
                      ByteSink out);

// What of `index` the directory `tree` does not have as it should, one sentence
// each ("has no /a/b"). `implied` directories may have another owner and mode.
// Content is hashed on `threads` threads.
std::vector<std::string> compare_tree(const LayerIndex& index, int tree,
                                      const std::vector<std::string>& implied,
                                      unsigned threads);

}  // namespace cbuild::store
