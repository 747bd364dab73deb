// The index of a layer: a sorted table of what the layer holds.
//
// It is the truth about a layer (DESIGN.md section 2 A): the tarball is written
// from it, COPY --from keys and history are computed from it, and a rootless
// tree that could not hold an owner or a device still has them here.
//
// Entries are sorted by path, bytewise with '/' lowest, so that a directory
// comes right before what it holds. Paths are relative, without a leading or
// trailing slash; the root directory itself is no entry. A hard link beyond the
// first name of a file is an entry of type hardlink whose `target` is the first
// name in sort order.
//
// The file format is described in layer_index.cc; a file that is cut short or
// has another version reads as absent.
#pragma once

#include <cstdint>
#include <ctime>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/digest.h"
#include "store/known_contents.h"

namespace cbuild::store {

enum class EntryType : std::uint8_t {
  file,
  directory,
  symlink,
  hardlink,
  character_device,
  block_device,
  fifo,
  socket,    // kept in the index, left out of tarballs (tar has no type for it)
  whiteout,  // the path of the layers below is gone
};

struct IndexEntry {
  std::string path;
  EntryType type = EntryType::file;
  std::uint32_t mode = 0;  // permission, setuid, setgid and sticky bits: 07777
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t size = 0;  // bytes; files only
  std::int64_t mtime_seconds = 0;
  std::uint32_t mtime_nanoseconds = 0;
  std::uint32_t dev_major = 0;
  std::uint32_t dev_minor = 0;
  bool opaque = false;  // directory that hides what the layers below hold
  std::string target;   // of a symlink or hardlink
  std::map<std::string, std::string> xattrs;  // trusted.overlay.* left out
  std::optional<Digest> content;              // files only
};

struct LayerIndex {
  std::vector<IndexEntry> entries;

  // The entry at exactly `path`, or nullptr.
  const IndexEntry* find(std::string_view path) const;
  // Sum of the sizes of all files.
  std::uint64_t total_size() const;
};

// Sort order of paths in an index: '/' sorts before every other byte.
bool path_less(std::string_view a, std::string_view b);

// Entries one after the other, in the order of an index: memory does not grow
// with the layer.
using EntrySink = std::function<void(IndexEntry&& entry)>;
using EntrySource = std::function<void(const EntrySink& take)>;

std::string serialize(const LayerIndex& index);
// nullopt where `data` is damaged or of another version.
std::optional<LayerIndex> deserialize(std::string_view data);

// Reads a directory tree as overlayfs leaves it in an upper directory: a
// character device 0/0 is a whiteout, trusted.overlay.opaque (or
// user.overlay.opaque) with the value "y" marks an opaque directory.
//
// `lowers` are the trees below, top first. overlayfs copies a directory up
// whenever something below it changes. Such a directory (not opaque, there
// below with the same owner, mode and xattrs) has an entry only where something
// below it has one: BuildKit includes the parents of a change, with their new
// times. Without one it is no change, and its mtime in the tree is set back to
// the lower one's. A file that is what lies below it, contents and time
// included (moved away and back), is no change either. A whiteout with nothing
// below it is dropped.
//
// Of extended attributes security.capability and user.* are kept. Hashes
// contents on `threads` threads, but for those that are known, and calls `take`
// on the caller's.
struct ScanOptions {
  unsigned threads = 1;
  KnownContents* known = nullptr;  // sealed
  // The lower trees are older than that moment (CLOCK_REALTIME); what was
  // changed after it and before now is looked for in none of them.
  std::optional<timespec> since = std::nullopt;
};
void scan_tree(int tree, const std::vector<std::string>& lowers,
               const ScanOptions& options, const EntrySink& take);
// All at once.
LayerIndex scan_tree(int tree, const std::vector<std::string>& lowers,
                     unsigned threads);

}  // namespace cbuild::store
