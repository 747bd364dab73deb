#include <fcntl.h>

#include <algorithm>

#include "base/dir.h"
#include "base/error.h"
#include "store/compress.h"
#include "store/layer_io.h"
#include "store/parent_dirs.h"
#include "store/tar.h"

namespace cbuild::store {
namespace {

// Plain tar bytes in; their hash is the diffID, the blob gets them compressed.
class Packer {
 public:
  Packer(const TarballOptions& options, ByteSink out)
      : compressor_(std::move(out), options.compression, options.fast,
                    options.threads) {}

  void write(std::string_view data) {
    plain_.update(data);
    compressor_.write(data);
  }
  Digest finish() {
    compressor_.finish();
    return plain_.finish();
  }

 private:
  Hasher plain_;
  Compressor compressor_;
};

void write_content(const IndexEntry& entry, const ParentDirs::Place& place,
                   TarWriter& tar) {
  const Fd file = openat_path(place.dir, place.name,
                              O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  Hasher hasher;
  const std::string subject = "the layer's file " + entry.path;
  read_sparse(file.get(), entry.size, subject, [&](std::string_view data) {
    hasher.update(data);
    tar.write(data);
  });
  if (entry.content && hasher.finish() != *entry.content)
    throw Error(subject + " is not what it was when the layer was made");
}

// Layers carry file capabilities and no other attribute, as BuildKit's do:
// user.* stays in the tree, where later steps see it.
IndexEntry exported(IndexEntry entry) {
  std::erase_if(entry.xattrs, [](const auto& xattr) {
    return xattr.first != "security.capability";
  });
  return entry;
}

}  // namespace

Digest write_layer(const LayerIndex& index, int tree,
                   const TarballOptions& options, ByteSink out) {
  Packer packer(options, std::move(out));
  TarWriter tar([&](std::string_view data) { packer.write(data); });
  ParentDirs parents(tree, false);
  for (const IndexEntry& entry : index.entries) {
    tar.add(exported(entry));
    if (entry.type == EntryType::file && entry.size > 0)
      write_content(entry, parents.of(entry.path), tar);
  }
  tar.finish();
  return packer.finish();
}

Digest compress_layer(const ByteSource& plain, const TarballOptions& options,
                      ByteSink out) {
  Packer packer(options, std::move(out));
  std::string buffer(kStreamBuffer, '\0');
  while (const std::size_t n = plain(buffer.data(), buffer.size()))
    packer.write(std::string_view(buffer).substr(0, n));
  return packer.finish();
}

}  // namespace cbuild::store
