#include "store/layer_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <mutex>

#include "base/dir.h"
#include "base/error.h"
#include "store/compress.h"
#include "store/layer_io.h"
#include "store/layer_meta.h"
#include "store/lock.h"
#include "store/merged_index.h"
#include "store/tree_writer.h"

namespace cbuild::store {
namespace {

constexpr const char* kEmptyLayer = "empty";

bool there(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

// An id comes from records on disk: it must not be a path.
void check_id(const LayerId& id) {
  const bool valid = id == kEmptyLayer ||
                     (!id.empty() && id.find_first_not_of("0123456789abcdef") ==
                                         std::string::npos);
  if (!valid) throw Error("not the id of a layer: \"" + id + "\"");
}

}  // namespace

struct LayerStore::State {
  std::string layers;  // <root>/layers
  BlobStore& blobs;
  std::shared_ptr<Staging> staging;
  std::mutex mutex;
  std::map<LayerId, std::shared_ptr<const LayerIndex>> indexes;

  std::string directory(const LayerId& id) const {
    check_id(id);
    return layers + "/" + id;
  }

  // Held while a form of the layer is made, so that only one does the work.
  FileLock lock(const LayerId& id) const {
    return FileLock(directory(id) + "/lock", LockMode::exclusive);
  }

  std::optional<LayerBlob> blob_here(const LayerMeta& meta) const {
    for (auto blob = meta.blobs.rbegin(); blob != meta.blobs.rend(); ++blob)
      if (blobs.size(blob->digest) == blob->size) return *blob;
    return std::nullopt;
  }

  // Reads a blob that must be here.
  LayerContent read(const LayerId& id, const LayerMeta& meta, int tree) const {
    const std::optional<LayerBlob> blob = blob_here(meta);
    if (!blob)
      throw Error("layer " + id.substr(0, 12) +
                  " has no tarball in the store: pull its image again");
    return in_context("layer " + id.substr(0, 12), [&] {
      const Fd file = openat_path(AT_FDCWD, blobs.path(blob->digest), O_RDONLY);
      LayerContent content =
          read_layer(file_source(file.get(), blob->digest.text()), tree);
      if (content.diff_id != blob->diff_id)
        throw DigestMismatch(blob->diff_id, content.diff_id);
      return content;
    });
  }

  void publish_index(const LayerId& id, const LayerIndex& index) {
    staging->replace(directory(id) + "/index", serialize(index));
  }

  std::shared_ptr<const LayerIndex> keep(const LayerId& id, LayerIndex index) {
    const std::lock_guard guard(mutex);
    auto& slot = indexes[id];
    slot = std::make_shared<const LayerIndex>(std::move(index));
    return slot;
  }

  std::optional<LayerIndex> stored_index(const LayerId& id) const {
    const auto data = read_file(directory(id) + "/index");
    return data ? deserialize(*data) : std::nullopt;
  }

  void unpack(const LayerId& id, const std::string& tree);
  LayerBlob make_tarball(const LayerId& id, const LayerMeta& meta,
                         const LayerIndex* index,
                         const TarballOptions& options);
};

// The tree is staged, so that it is there whole or not at all.
void LayerStore::State::unpack(const LayerId& id, const std::string& tree) {
  TempDir staged(staging->directory(), "unpack-");
  LayerMeta meta = read_meta(directory(id));
  const Fd root = open_path(staged.path(), O_RDONLY | O_DIRECTORY);
  LayerContent content = read(id, meta, root.get());
  if (meta.implied != content.implied) {
    meta.implied = std::move(content.implied);
    write_meta(directory(id), meta, *staging);
  }
  publish_index(id, content.index);
  keep(id, std::move(content.index));
  check(::rename(staged.path().c_str(), tree.c_str()), "rename", tree);
  staged.keep();
}

// From the tarball in another compression, or else from index and tree. Only
// the former gives a pulled layer its own bytes again.
LayerBlob LayerStore::State::make_tarball(const LayerId& id,
                                          const LayerMeta& meta,
                                          const LayerIndex* index,
                                          const TarballOptions& options) {
  BlobWriter out = blobs.writer();
  const auto sink = [&out](std::string_view data) { out.write(data); };
  const Digest diff_id = [&] {
    if (const std::optional<LayerBlob> here = blob_here(meta)) {
      const Fd file = open_path(blobs.path(here->digest), O_RDONLY);
      return compress_layer(
          decompressed(file_source(file.get(), here->digest.text())), options,
          sink);
    }
    if (index == nullptr)
      throw Error("its tarball is not in the store: pull its image again");
    const Fd tree = open_path(directory(id) + "/tree", O_RDONLY | O_DIRECTORY);
    return write_layer(*index, tree.get(), options, sink);
  }();
  if (meta.diff_id && *meta.diff_id != diff_id)
    throw DigestMismatch(*meta.diff_id, diff_id);
  const Digest digest = out.commit();
  return {diff_id, digest, out.written(), options.compression};
}

LayerStore::LayerStore(const std::string& root, BlobStore& blobs)
    : state_(new State{root + "/layers", blobs, Staging::of(root), {}, {}}) {}

LayerId LayerStore::adopt(const std::string& tree, const LayerIndex& index) {
  State& s = *state_;
  const LayerId id = random_hex(16);
  TempDir staged(s.staging->directory(), "layer-");
  const std::string file = staged.path() + "/index";
  Fd out = open_path(file, O_WRONLY | O_CREAT | O_EXCL, 0644);
  write_all(out.get(), serialize(index), file);
  out.close();
  check(::rename(tree.c_str(), (staged.path() + "/tree").c_str()), "rename",
        tree);
  const std::string final_name = s.directory(id);
  check(::rename(staged.path().c_str(), final_name.c_str()), "rename",
        final_name);
  staged.keep();
  s.keep(id, index);
  return id;
}

LayerId LayerStore::add_blob(const Digest& diff_id, const Digest& digest,
                             std::uint64_t size, Compression compression) {
  State& s = *state_;
  const LayerId id = diff_id.hex();
  const std::string directory = s.directory(id);
  const auto known = [&](const LayerMeta& meta) {
    return !meta.blobs.empty() && meta.blobs.back().digest == digest;
  };
  if (known(read_meta(directory))) return id;
  make_dirs(directory, 0700);
  const FileLock lock = s.lock(id);
  LayerMeta meta = read_meta(directory);
  meta.add({diff_id, digest, size, compression});
  write_meta(directory, meta, *s.staging);
  return id;
}

bool LayerStore::exists(const LayerId& id) const {
  return there(state_->directory(id));
}

std::string LayerStore::tree(const LayerId& id) {
  State& s = *state_;
  const std::string tree = s.directory(id) + "/tree";
  if (there(tree)) return tree;
  if (!exists(id)) throw Error("there is no layer " + id);
  const FileLock lock = s.lock(id);
  if (!there(tree)) s.unpack(id, tree);
  return tree;
}

bool LayerStore::has_tree(const LayerId& id) const {
  return there(state_->directory(id) + "/tree");
}

std::shared_ptr<const LayerIndex> LayerStore::index(const LayerId& id) {
  State& s = *state_;
  if (id == kEmptyLayer) return std::make_shared<const LayerIndex>();
  {
    const std::lock_guard guard(s.mutex);
    const auto known = s.indexes.find(id);
    if (known != s.indexes.end()) return known->second;
  }
  if (auto index = s.stored_index(id)) return s.keep(id, std::move(*index));
  if (!exists(id)) throw Error("there is no layer " + id);
  const FileLock lock = s.lock(id);
  if (auto index = s.stored_index(id)) return s.keep(id, std::move(*index));
  const LayerMeta meta = read_meta(s.directory(id));
  LayerIndex index;
  if (!s.blob_here(meta) && has_tree(id)) {
    const Fd tree =
        open_path(s.directory(id) + "/tree", O_RDONLY | O_DIRECTORY);
    index = scan_tree(tree.get(), {}, 1);
  } else {
    index = s.read(id, meta, kNoTree).index;
  }
  s.publish_index(id, index);
  return s.keep(id, std::move(index));
}

LayerBlob LayerStore::tarball(const LayerId& id,
                              const TarballOptions& options) {
  State& s = *state_;
  const auto existing = [&](const LayerMeta& meta) -> std::optional<LayerBlob> {
    if (auto same = known_tarball(id, options.compression)) return same;
    return options.force ? std::nullopt : s.blob_here(meta);
  };
  if (!exists(id)) throw Error("there is no layer " + id);
  if (auto known = existing(read_meta(s.directory(id)))) return *known;
  // Before the lock, which index() may want itself.
  const bool pulled = read_meta(s.directory(id)).pulled(id);
  const auto known_index = pulled ? nullptr : index(id);
  const FileLock lock = s.lock(id);
  LayerMeta meta = read_meta(s.directory(id));
  if (auto known = existing(meta)) return *known;
  const LayerBlob blob = in_context("layer " + id.substr(0, 12), [&] {
    return s.make_tarball(id, meta, known_index.get(), options);
  });
  meta.add(blob);
  write_meta(s.directory(id), meta, *s.staging);
  return blob;
}

std::optional<LayerBlob> LayerStore::known_tarball(
    const LayerId& id, Compression compression) const {
  for (const LayerBlob& blob : read_meta(state_->directory(id)).blobs)
    if (blob.compression == compression &&
        state_->blobs.size(blob.digest) == blob.size)
      return blob;
  return std::nullopt;
}

std::optional<LayerBlob> LayerStore::recorded_blob(const LayerId& id) const {
  const LayerMeta meta = read_meta(state_->directory(id));
  if (auto here = state_->blob_here(meta)) return here;
  return meta.blobs.empty() ? std::nullopt : std::optional(meta.blobs.back());
}

std::uint64_t LayerStore::content_size(const LayerId& id) {
  return index(id)->total_size();
}

std::vector<LayerId> LayerStore::list() const {
  const Fd dir = open_path(state_->layers, O_RDONLY | O_DIRECTORY);
  std::vector<LayerId> ids = list_dir(dir.get());
  std::erase(ids, kEmptyLayer);
  return ids;
}

void LayerStore::remove(const LayerId& id) {
  State& s = *state_;
  // Out of sight first: half a layer must not be found.
  const std::string gone = s.staging->fresh();
  if (::rename(s.directory(id).c_str(), gone.c_str()) == 0) remove_tree(gone);
  const std::lock_guard guard(s.mutex);
  s.indexes.erase(id);
}

std::string LayerStore::directory(const LayerId& id) const {
  return state_->directory(id);
}

void LayerStore::settle(const std::vector<LayerId>& chain) {
  for (std::size_t i = 1; i < chain.size(); ++i) {
    const std::string directory = state_->directory(chain[i]);
    const std::vector<std::string> implied = read_meta(directory).implied;
    if (implied.empty()) continue;
    std::vector<std::shared_ptr<const LayerIndex>> lower;
    for (std::size_t k = 0; k < i; ++k) lower.push_back(index(chain[k]));
    const MergedIndex merged(lower);
    const Fd tree = open_path(directory + "/tree", O_RDONLY | O_DIRECTORY);
    for (auto path = implied.rbegin(); path != implied.rend(); ++path) {
      const IndexEntry* below = merged.find(*path);
      if (below == nullptr || below->type != EntryType::directory) continue;
      const Fd dir = open_in_root(tree.get(), *path, O_RDONLY | O_DIRECTORY);
      apply_attributes(dir.get(), *below);
    }
  }
}

}  // namespace cbuild::store
