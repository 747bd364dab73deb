// A tree of files to copy from: a build context or the layers of a stage.
//
// Says what is there and what it contains without copying anything. A context
// is read in place, with its ignore rules applied: what they exclude does not
// exist here. Layers are seen through their indexes; no tree is read. Paths are
// relative, cleaned, without leading slash; "" is the root.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "parser/ignore.h"
#include "store/layer_index.h"
#include "store/merged_index.h"
#include "store/store.h"

namespace cbuild::builder {

class FileView {
 public:
  // `directory` is only ever read. Owners count as 0:0. Digests of contents are
  // kept in <store>/contexts/<hash of the path> by (dev, ino, size, mtime_ns,
  // ctime_ns), so that an unchanged file is not read twice; a file changed
  // within the clock's tick is not trusted (DESIGN.md section 4).
  static FileView of_directory(const std::string& directory,
                               parser::IgnoreMatcher ignore,
                               const std::string& stat_table_dir);

  static FileView of_layers(std::shared_ptr<const store::MergedIndex> index);

  // Without following a link at the end; nullopt where nothing is there.
  // `content` is not set for files of a directory: see content().
  std::optional<store::IndexEntry> lookup(const std::string& path) const;
  // Names in a directory, sorted by bytes.
  std::vector<std::string> children(const std::string& path) const;
  // SHA-256 of a file's content.
  store::Digest content(const std::string& path) const;
  // Follows symbolic links inside the root, parents and last component.
  std::optional<std::string> resolve(const std::string& path) const;

  bool is_context() const;
  // Why a path is not here: "excluded by .dockerignore:3", or empty.
  std::string reason_absent(const std::string& path) const;
  const parser::IgnoreMatcher& ignore() const;

  // Writes the stat table, if it changed; called once at the end of a build.
  void save_stat_table() const;

 private:
  struct State;
  explicit FileView(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

}  // namespace cbuild::builder
