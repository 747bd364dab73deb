#include <fcntl.h>

#include <algorithm>

#include "base/dir.h"
#include "base/error.h"
#include "store/compress.h"
#include "store/content_digest.h"
#include "store/layer_io.h"
#include "store/parent_dirs.h"
#include "store/read_ahead.h"
#include "store/tar.h"

namespace cbuild::store {
namespace {

// Below this many bytes a thread costs more than it saves.
constexpr std::uint64_t kWorthThread = std::uint64_t{8} << 20;

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

// Hashes a large file's content beside what is done with it.
Digest write_beside(ByteSource source, TarWriter& tar) {
  ContentHasher hasher;
  ReadAhead ahead(watched(std::move(source),
                          [&](std::string_view data) { hasher.update(data); }));
  for (auto data = ahead.next(); !data.empty(); data = ahead.next())
    tar.write(data);
  return hasher.finish();
}

Digest write_through(const ByteSource& source, std::uint64_t size,
                     TarWriter& tar) {
  const auto room =
      static_cast<std::size_t>(std::min<std::uint64_t>(size, kStreamBuffer));
  const auto buffer = std::make_unique_for_overwrite<char[]>(room);
  ContentHasher hasher;
  while (const std::size_t n = source(buffer.get(), room)) {
    hasher.update({buffer.get(), n});
    tar.write({buffer.get(), n});
  }
  return hasher.finish();
}

void write_content(const IndexEntry& entry, const ParentDirs::Place& place,
                   unsigned threads, TarWriter& tar) {
  const Fd file = openat_path(place.dir, place.name,
                              O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  const std::string subject = "the layer's file " + entry.path;
  ByteSource source = sparse_source(file.get(), entry.size, subject);
  const Digest found = threads > 1 && entry.size >= kWorthThread
                           ? write_beside(std::move(source), tar)
                           : write_through(source, entry.size, tar);
  if (entry.content && found != *entry.content)
    throw ChangedFile(subject + " is not what it was when the layer was made");
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

Digest write_layer(const EntrySource& entries, int tree,
                   const TarballOptions& options, ByteSink out) {
  Packer packer(options, std::move(out));
  TarWriter tar([&](std::string_view data) { packer.write(data); });
  ParentDirs parents(tree, false);
  entries([&](IndexEntry&& entry) {
    tar.add(exported(entry));
    if (entry.type == EntryType::file && entry.size > 0)
      write_content(entry, parents.of(entry.path), options.threads, tar);
  });
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
