// From the entries of a layer's tarball to its index. Private to store/.
//
// A tarball is a log: an entry may replace an earlier one, name a path through
// a symbolic link, come without its directory, be absolute or hold "..". The
// rules are containerd's (pkg/archive/tar.go) and the image-spec's (layer.md):
// names are taken below the root, later entries win, a directory entry keeps
// what the directory holds, a whiteout hides lower layers only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "store/layer_index.h"

namespace cbuild::store {

class IndexBuilder {
 public:
  // What an entry's name asks for.
  enum class Role {
    entry,
    root,      // the root directory itself
    whiteout,  // "path" is gone
    opaque,    // the directory "path" hides what is below it
    ignored,   // aufs' own files
  };

  // Normalises path and, of a hard link, target. Throws Error where a component
  // is a file, links loop, or a hard link's target is not in the layer.
  Role place(IndexEntry& entry) const;

  // Adds an entry that was placed as Role::entry; its content is known by now.
  void add(IndexEntry entry);
  void add_whiteout(const std::string& path);
  void add_opaque(const std::string& directory);

  // Whether `path` is a directory with an entry so far.
  bool is_directory(std::string_view path) const;

  LayerIndex finish();

 private:
  struct Less {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const {
      return path_less(a, b);
    }
  };
  // Names of one file share an inode number and each have all of its data.
  struct Node {
    IndexEntry entry;
    std::uint64_t inode = 0;
  };
  using Nodes = std::map<std::string, Node, Less>;

  std::string resolve_parent(std::string_view parent) const;
  std::string locate(std::string_view name) const;
  void erase_below(Nodes::iterator directory);

  Nodes nodes_;
  std::uint64_t next_inode_ = 1;
  std::size_t links_ = 0;  // symbolic links among the nodes, at least
};

}  // namespace cbuild::store
