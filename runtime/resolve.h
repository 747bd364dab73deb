// Where a path of the image leads, also when its end does not exist yet.
//
// openat2(2) follows links inside a root but says nothing about a path that is
// missing; mount points and working directories are made from this answer.
// Nobody else may be changing the tree. Throws SystemError (ELOOP, ENOTDIR).
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cbuild::runtime {

struct ResolvedPath {
  std::vector<std::string> parts;  // no symbolic link, "." or ".." among them
  std::size_t existing = 0;        // how many of them are there
  bool in_mount = false;           // stopped: the path goes on in a mount

  bool exists() const { return existing == parts.size(); }
  // The first `count` parts as a path relative to the root, "." for none.
  std::string prefix(std::size_t count) const;
  std::string path() const { return prefix(parts.size()); }
};

// Resolves `path` with `root` as "/". `mounts` holds path()s that will be
// mounted upon: what is below them cannot be seen from here.
ResolvedPath resolve_in_root(int root, std::string_view path,
                             const std::set<std::string>& mounts = {});

}  // namespace cbuild::runtime
