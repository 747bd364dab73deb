#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/dir.h"
#include "store/compress.h"
#include "store/damage.h"
#include "store/index_stream.h"
#include "store/layer_state.h"

namespace cbuild::store {
namespace {

constexpr const char* kEmptyLayer = "empty";
// The id of a layer that was pulled or loaded: its diffID's hex.
constexpr std::size_t kPulledIdSize = 64;

bool there(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

std::string short_name(const LayerId& id) {
  return "layer " + id.substr(0, 12);
}

// Runs `body`, which reads the blob and returns the diffID it found. Where it
// fails, or finds another one, either the blob is not what its name says, and
// goes, or it never was this layer's.
template <typename Body>
auto reading(BlobStore& blobs, const LayerBlob& blob, Body&& body) {
  try {
    auto found = body();
    if (found.diff_id != blob.diff_id)
      throw DigestMismatch(blob.diff_id, found.diff_id);
    return found;
  } catch (const SystemError&) {
    throw;
  } catch (const Error&) {
    if (blobs.verify(blob.digest)) throw;
    const std::string what = "blob " + blob.digest.short_text() + " is damaged";
    blobs.remove(blob.digest);
    report_damage(what + ": dropped");
    throw DamagedBlob(what);
  }
}

}  // namespace

std::string LayerStore::State::directory(const LayerId& id) const {
  const bool valid = id == kEmptyLayer ||
                     (!id.empty() && id.find_first_not_of("0123456789abcdef") ==
                                         std::string::npos);
  if (!valid) throw Error("not the id of a layer: \"" + id + "\"");
  return root + "/layers/" + id;
}

FileLock LayerStore::State::lock(const LayerId& id) const {
  return FileLock::of_directory(directory(id));
}

std::optional<LayerBlob> LayerStore::State::blob_here(
    const LayerMeta& meta) const {
  for (auto blob = meta.blobs.rbegin(); blob != meta.blobs.rend(); ++blob)
    if (blobs.size(blob->digest) == blob->size) return *blob;
  return std::nullopt;
}

std::optional<LayerBlob> LayerStore::State::blob_here(
    const LayerMeta& meta, Compression compression) const {
  for (const LayerBlob& blob : meta.blobs)
    if (blob.compression == compression && blobs.size(blob.digest) == blob.size)
      return blob;
  return std::nullopt;
}

LayerContent LayerStore::State::read(const LayerId& id, const LayerMeta& meta,
                                     int tree) const {
  const std::optional<LayerBlob> blob = blob_here(meta);
  if (!blob)
    throw Error(short_name(id) +
                " has no tarball in the store: pull its image again");
  return in_context(short_name(id), [&] {
    return reading(blobs, *blob, [&] {
      const Fd file = open_path(blobs.path(blob->digest), O_RDONLY);
      return read_layer(file_source(file.get(), blob->digest.text()), tree);
    });
  });
}

bool LayerStore::State::has_tree(const LayerId& id) {
  {
    const std::lock_guard guard(mutex);
    if (trusted.contains(id)) return true;
  }
  if (!there(directory(id) + "/tree")) return false;
  // A step's record, or id_of(), vouches for what a step made.
  if (id.size() == kPulledIdSize) {
    const LayerMeta meta = read_meta(directory(id));
    if (!meta.tree || !durability->holds(*meta.tree)) return false;
  }
  const std::lock_guard guard(mutex);
  trusted.insert(id);
  return true;
}

// The tree is staged, so that it is there whole or not at all.
void LayerStore::State::unpack(const LayerId& id) {
  const std::string tree = directory(id) + "/tree";
  if (there(tree)) {
    const std::string gone = staging->fresh();
    check(::rename(tree.c_str(), gone.c_str()), "rename", tree);
    report_damage("the tree of " + short_name(id) +
                  " was not on the disk when the machine stopped: unpacked "
                  "again");
    remove_tree(gone);
  }
  TempDir staged(staging->directory(), "unpack-");
  LayerMeta meta = read_meta(directory(id));
  const Fd into = open_path(staged.path(), O_RDONLY | O_DIRECTORY);
  LayerContent content = read(id, meta, into.get());
  meta.implied = std::move(content.implied);
  meta.tree = Birth::now();
  write_meta(directory(id), meta, *staging);
  publish_index(id, content.index);
  keep(id, std::move(content.index));
  check(::rename(staged.path().c_str(), tree.c_str()), "rename", tree);
  staged.keep();
}

std::optional<LayerIndex> LayerStore::State::stored_index(
    const LayerId& id) const {
  const std::string path = directory(id) + "/index";
  const auto data = read_file(path);
  if (!data) return std::nullopt;
  auto index = deserialize(*data);
  if (index) return index;
  ::unlink(path.c_str());
  report_damage("the index of " + short_name(id) + " is damaged: dropped");
  return std::nullopt;
}

void LayerStore::State::publish_index(const LayerId& id,
                                      const LayerIndex& index) {
  staging->replace(directory(id) + "/index", serialize(index));
}

std::shared_ptr<const LayerIndex> LayerStore::State::keep(const LayerId& id,
                                                          LayerIndex index) {
  const std::lock_guard guard(mutex);
  auto& slot = indexes[id];
  slot = std::make_shared<const LayerIndex>(std::move(index));
  return slot;
}

// Not removed at once: another build may have it mounted.
void LayerStore::State::drop(const LayerId& id) {
  check(::rename(directory(id).c_str(), staging->fresh().c_str()), "rename",
        directory(id));
  {
    const std::lock_guard guard(mutex);
    trusted.erase(id);
    indexes.erase(id);
  }
  report_damage(short_name(id) + " is dropped: its step runs again");
}

// From the tarball, which says all there is to say. A tree does not: what it
// hides of the layers below, and which directories are changes, is not seen
// without them.
LayerIndex LayerStore::State::make_index(const LayerId& id) {
  const LayerMeta meta = read_meta(directory(id));
  if (meta.pulled(id) || id.size() == kPulledIdSize || blob_here(meta)) {
    try {
      return read(id, meta, kNoTree).index;
    } catch (const DamagedBlob&) {
      if (id.size() == kPulledIdSize) throw;
    }
  }
  drop(id);
  throw Error(short_name(id) +
              " was damaged, and no tarball of it is there: "
              "build again");
}

// From the tarball in another compression, or else from index and tree. Only
// the former gives a pulled layer its own bytes again.
LayerBlob LayerStore::State::make_tarball(const LayerId& id,
                                          const LayerMeta& meta,
                                          std::string_view index,
                                          const TarballOptions& options) {
  BlobWriter out = blobs.writer();
  const auto sink = [&out](std::string_view data) { out.write(data); };
  const std::optional<LayerBlob> here = blob_here(meta);
  const Digest diff_id =
      here ? recompress(*here, options, sink) : pack(id, index, options, sink);
  if (meta.diff_id && *meta.diff_id != diff_id)
    throw DigestMismatch(*meta.diff_id, diff_id);
  const Digest digest = out.commit();
  return {diff_id, digest, out.written(), options.compression};
}

Digest LayerStore::State::recompress(const LayerBlob& blob,
                                     const TarballOptions& options,
                                     const ByteSink& out) const {
  struct Made {
    Digest diff_id;
  };
  return reading(
             blobs, blob,
             [&] {
               const Fd file = open_path(blobs.path(blob.digest), O_RDONLY);
               return Made{compress_layer(
                   decompressed(file_source(file.get(), blob.digest.text())),
                   options, out)};
             })
      .diff_id;
}

Digest LayerStore::State::pack(const LayerId& id, std::string_view index,
                               const TarballOptions& options,
                               const ByteSink& out) {
  if (index.empty())
    throw Error("its tarball is not in the store: pull its image again");
  const Fd tree = open_path(directory(id) + "/tree", O_RDONLY | O_DIRECTORY);
  try {
    return write_layer([&](const EntrySink& take) { each_entry(index, take); },
                       tree.get(), options, out);
  } catch (const ChangedFile&) {
    drop(id);
    throw;
  }
}

// Where there is one already, its layer has the same content.
void LayerStore::State::add_alias(const Digest& diff_id,
                                  const LayerId& id) const {
  const std::string path = alias(diff_id);
  if (lstat_at(AT_FDCWD, path) &&
      there(directory(readlink_at(AT_FDCWD, path)) + "/tree"))
    return;
  make_dirs(root + "/diffs", 0700);
  // Not made in place: a session is where ext4 finds an inode soon (see
  // spread_sessions() in staging.cc).
  const std::string staged = staging->fresh();
  check(::symlink(id.c_str(), staged.c_str()), "symlink", staged);
  check(::rename(staged.c_str(), path.c_str()), "rename", path);
}

}  // namespace cbuild::store
