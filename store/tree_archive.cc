#include "store/tree_archive.h"

#include <fcntl.h>

#include "base/dir.h"
#include "store/layer_io.h"

namespace cbuild::store {

void save_tree(const std::string& directory, const ByteSink& out,
               unsigned threads) {
  const Fd tree = open_path(directory, O_RDONLY | O_DIRECTORY);
  write_layer(
      [&](const EntrySink& take) {
        scan_tree(tree.get(), {}, {.threads = threads}, take);
      },
      tree.get(), {.compression = Compression::zstd, .threads = threads}, out);
}

void load_tree(const std::string& directory, ByteSource archive) {
  const Fd tree = open_path(directory, O_RDONLY | O_DIRECTORY);
  read_layer(std::move(archive), tree.get());
}

}  // namespace cbuild::store
