// A tree of files to copy from: a build context or the layers of a stage.
//
// Says what is there and what it contains without copying anything. A context
// is read in place, with its ignore rules applied: what they exclude does not
// exist here. Layers are seen through their indexes; no tree is read. Paths are
// relative, cleaned, without leading slash; "" is the root.
//
// Nothing is read before it is asked for. Copies of a FileView share their
// state; const members may be called by any thread. Members throw SystemError
// for a context that cannot be read.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "builder/stat_table.h"
#include "parser/ignore.h"
#include "store/layer_index.h"
#include "store/merged_index.h"
#include "store/store.h"

namespace cbuild::builder {

// What a directory listing tells of one file; small, as there may be a million.
struct ViewEntry {
  std::string name;  // last component; "" for the root
  store::EntryType type = store::EntryType::file;
  std::uint32_t mode = 0;  // 07777
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t dev_major = 0;
  std::uint32_t dev_minor = 0;
  std::uint64_t size = 0;  // bytes; files only
  std::int64_t mtime_seconds = 0;
  std::uint32_t mtime_nanoseconds = 0;
  bool linked = false;    // may have another name: see FileView::link_id
  FileIdentity identity;  // context only
  const store::IndexEntry* indexed = nullptr;  // layers only

  bool directory() const { return type == store::EntryType::directory; }
};

// What the modes and attributes of a context's files count for.
enum class ContextMode {
  as_they_are,
  // What git keeps: files are 0755 where their owner may execute them, else
  // 0644, directories 0755, and there are no extended attributes. Neither the
  // umask of the checkout nor its machine then reach a key or an image.
  git,
};

class FileView {
 public:
  // `directory` is only ever read. Owners count as 0:0. Digests of contents are
  // kept in <stat_table_dir>/<hash of the path> by (dev, ino, size, mtime_ns,
  // ctime_ns), so that an unchanged file is not read twice; a file changed
  // within the clock's tick is not trusted (DESIGN.md section 4).
  // `places` says for each pattern of `ignore` where it stands
  // (".dockerignore:3"), for messages.
  static FileView of_directory(const std::string& directory,
                               parser::IgnoreMatcher ignore,
                               const std::string& stat_table_dir,
                               std::vector<std::string> places = {},
                               ContextMode mode = ContextMode::as_they_are);

  static FileView of_layers(std::shared_ptr<const store::MergedIndex> index);

  // Without following a link at the end or before it; nullopt where nothing is
  // there. Of a directory's files `content` and `xattrs` are not set: see
  // content() and xattrs(). A hard link in layers comes as the file it is.
  std::optional<store::IndexEntry> lookup(const std::string& path) const;
  // Names in a directory, sorted by bytes.
  std::vector<std::string> children(const std::string& path) const;
  // Of a file: see store/content_digest.h.
  store::Digest content(const std::string& path) const;
  // Follows symbolic links inside the root, parents and last component.
  std::optional<std::string> resolve(const std::string& path) const;

  // The same for walks, which have an entry in hand already. `path` is the
  // entry's.
  std::optional<ViewEntry> find(const std::string& path) const;
  std::vector<ViewEntry> list(const std::string& path) const;
  store::Digest content(const std::string& path, const ViewEntry& entry) const;
  // Those that a copy keeps: see copied_xattr in copy_xattrs.h.
  std::map<std::string, std::string> xattrs(const std::string& path,
                                            const ViewEntry& entry) const;
  std::string link_target(const std::string& path,
                          const ViewEntry& entry) const;
  // Equal for the names of one file; empty if it has but one.
  std::string link_id(const std::string& path, const ViewEntry& entry) const;
  // What content() would answer without reading the file. Once a key was
  // computed, a file of a context that is not known has changed since.
  std::optional<store::Digest> known_content(const ViewEntry& entry) const;
  // Whether that is a context's file whose content is the known one as long as
  // its identity is the same.
  bool settled(const ViewEntry& entry) const;
  // Whether content() was ever asked of this context.
  bool was_read() const;

  bool is_context() const;
  ContextMode mode() const;
  // Why a path is not here: "excluded by .dockerignore:3", or empty.
  std::string reason_absent(const std::string& path) const;
  const parser::IgnoreMatcher& ignore() const;
  // As list(), with what the ignore file excludes. Contexts only.
  std::vector<ViewEntry> list_all(const std::string& path) const;

  // Writes the stat table, if it changed; called once at the end of a build.
  void save_stat_table() const;

 private:
  struct State;
  explicit FileView(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

}  // namespace cbuild::builder
