#include "store/layer_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>

#include "base/dir.h"
#include "base/error.h"
#include "store/index_stream.h"
#include "store/layer_state.h"
#include "store/merged_index.h"
#include "store/tree_writer.h"

namespace cbuild::store {
namespace {

bool there(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace

LayerStore::LayerStore(const std::string& root, BlobStore& blobs,
                       std::shared_ptr<const Durability> durability)
    : state_(new State{.root = root,
                       .blobs = blobs,
                       .durability = std::move(durability),
                       .staging = Staging::of(root),
                       .leases = Leases::of(root),
                       .mutex = {}}) {}

LayerId LayerStore::adopt(const std::string& tree, const EntrySource& entries) {
  State& s = *state_;
  const LayerId id = random_hex(16);
  TempDir staged(s.staging->directory(), "layer-");
  const std::string file = staged.path() + "/index";
  Fd out = open_path(file, O_RDWR | O_CREAT | O_EXCL, 0644);
  IndexWriter writer(out.get(), file);
  entries([&](IndexEntry&& entry) { writer.add(entry); });
  writer.finish();
  out.close();
  check(::rename(tree.c_str(), (staged.path() + "/tree").c_str()), "rename",
        tree);
  const std::string final_name = s.directory(id);
  s.leases->hold("layers/" + id);
  check(::rename(staged.path().c_str(), final_name.c_str()), "rename",
        final_name);
  staged.keep();
  return id;
}

LayerId LayerStore::add_blob(const Digest& diff_id, const Digest& digest,
                             std::uint64_t size, Compression compression) {
  State& s = *state_;
  const LayerId id = diff_id.hex();
  const std::string directory = s.directory(id);
  s.leases->hold("layers/" + id);
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
  if (s.has_tree(id)) return tree;
  if (!exists(id)) throw Error("there is no layer " + id);
  const FileLock lock = s.lock(id);
  if (!s.has_tree(id)) s.unpack(id);
  return tree;
}

bool LayerStore::has_tree(const LayerId& id) const {
  return state_->has_tree(id);
}

LayerId LayerStore::id_of(const Digest& diff_id) const {
  Leases::Looking looking(*state_->leases);
  LayerId id = state_->made_as(diff_id);
  looking.hold("layers/" + id);
  return id;
}

LayerId LayerStore::State::made_as(const Digest& diff_id) const {
  char id[NAME_MAX + 1];
  const ssize_t size = ::readlink(alias(diff_id).c_str(), id, sizeof id);
  if (size <= 0) return diff_id.hex();
  const LayerId made(id, static_cast<std::size_t>(size));
  const LayerMeta meta = read_meta(directory(made));
  // It may have been pruned, or torn by a power cut.
  const bool usable = meta.diff_id == diff_id && meta.tree &&
                      durability->holds(*meta.tree) &&
                      there(directory(made) + "/tree");
  return usable ? made : diff_id.hex();
}

std::shared_ptr<const LayerIndex> LayerStore::index(const LayerId& id) {
  State& s = *state_;
  if (id == "empty") return std::make_shared<const LayerIndex>();
  {
    const std::lock_guard guard(s.mutex);
    const auto known = s.indexes.find(id);
    if (known != s.indexes.end()) return known->second;
  }
  if (auto index = s.stored_index(id)) return s.keep(id, std::move(*index));
  if (!exists(id)) throw Error("there is no layer " + id);
  const FileLock lock = s.lock(id);
  if (auto index = s.stored_index(id)) return s.keep(id, std::move(*index));
  LayerIndex index = s.make_index(id);
  s.publish_index(id, index);
  return s.keep(id, std::move(index));
}

// The index as its file has it, which is much smaller than a LayerIndex.
std::string LayerStore::whole_index(const LayerId& id) {
  std::optional<std::string> data = read_file(state_->directory(id) + "/index");
  if (data && IndexReader::open(*data)) return std::move(*data);
  return serialize(*index(id));  // says what is wrong
}

LayerBlob LayerStore::tarball(const LayerId& id,
                              const TarballOptions& options) {
  State& s = *state_;
  const auto existing = [&](const LayerMeta& meta) -> std::optional<LayerBlob> {
    if (auto same = s.blob_here(meta, options.compression)) return same;
    return options.force ? std::nullopt : s.blob_here(meta);
  };
  if (!exists(id)) throw Error("there is no layer " + id);
  if (auto known = existing(read_meta(s.directory(id)))) return *known;
  // Before the lock, which index() may want itself.
  const bool pulled = read_meta(s.directory(id)).pulled(id);
  const std::string index_file = pulled ? "" : whole_index(id);
  const FileLock lock = s.lock(id);
  LayerMeta meta = read_meta(s.directory(id));
  if (auto known = existing(meta)) return *known;
  const auto make = [&] {
    return s.make_tarball(id, meta, index_file, options);
  };
  const LayerBlob blob = in_context("layer " + id.substr(0, 12), [&] {
    try {
      return make();
    } catch (const DamagedBlob&) {
      // It is gone now: the tree is what is left.
      return make();
    }
  });
  meta.add(blob);
  if (!pulled && !meta.tree) meta.tree = Birth::now();
  write_meta(s.directory(id), meta, *s.staging);
  if (!pulled) s.add_alias(blob.diff_id, id);
  return blob;
}

std::optional<LayerBlob> LayerStore::known_tarball(
    const LayerId& id, Compression compression) const {
  return state_->blob_here(read_meta(state_->directory(id)), compression);
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
  const Fd dir = open_path(state_->root + "/layers", O_RDONLY | O_DIRECTORY);
  std::vector<LayerId> ids = list_dir(dir.get());
  std::erase(ids, "empty");
  return ids;
}

void LayerStore::remove(const LayerId& id) { remove_tree(take_away(id)); }

std::string LayerStore::take_away(const LayerId& id) {
  State& s = *state_;
  // Out of sight at once: half a layer must not be found.
  if (const auto diff_id = read_meta(s.directory(id)).diff_id)
    if (s.made_as(*diff_id) == id) ::unlink(s.alias(*diff_id).c_str());
  const std::string gone = s.staging->fresh();
  if (::rename(s.directory(id).c_str(), gone.c_str()) == -1 && errno != ENOENT)
    throw_system_error("rename", s.directory(id));
  const std::lock_guard guard(s.mutex);
  s.indexes.erase(id);
  s.trusted.erase(id);
  return gone;
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
