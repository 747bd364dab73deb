// Paths below a directory descriptor, which nothing can lead out of.
//
// The functions with `_in_root` resolve a path as if `root` were "/": symbolic
// links, absolute ones too, and ".." stay inside (openat2 RESOLVE_IN_ROOT,
// Linux 5.6). They are the only way to touch a path that a Dockerfile, an
// archive or an image names. Names are byte strings; no encoding is assumed.
// All functions throw SystemError unless they say otherwise.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"

namespace cbuild {

// open(2) on a trusted path, close-on-exec added.
Fd open_path(const std::string& path, int flags, unsigned mode = 0);
Fd openat_path(int dir, const std::string& path, int flags, unsigned mode = 0);
// As openat_path, but nullopt where the path (or a parent) does not exist.
std::optional<Fd> try_openat(int dir, const std::string& path, int flags);

// Opens `path` with `root` as "/". Close-on-exec added. `flags` may have
// O_CREAT; O_NOFOLLOW applies to the last component only.
Fd open_in_root(int root, const std::string& path, int flags,
                unsigned mode = 0);
// As open_in_root, but nullopt for ENOENT and ENOTDIR.
std::optional<Fd> try_open_in_root(int root, const std::string& path,
                                   int flags);

// The file's whole content, or nullopt where it does not exist.
std::optional<std::string> read_file_at(int dir, const std::string& path);
std::optional<std::string> read_file(const std::string& path);

// lstat of `name` below `dir`, or nullopt where it does not exist.
std::optional<struct stat> lstat_at(int dir, const std::string& name);

// Target of the symbolic link `name` below `dir`.
std::string readlink_at(int dir, const std::string& name);

// Names in the directory, without "." and "..", sorted by bytes.
std::vector<std::string> list_dir(int dir);

// mkdir -p for a trusted path; existing directories are left as they are.
void make_dirs(const std::string& path, unsigned mode = 0755);

// rm -rf of `name` below `dir`; absent is fine. Never follows symbolic links.
void remove_tree_at(int dir, const std::string& name);
void remove_tree(const std::string& path);

// Writes `name` below `dir` so that it is either the old file or the whole new
// one: staged beside it, renamed over it. Syncs the file first if `durable`.
void replace_file_at(int dir, const std::string& name, std::string_view data,
                     bool durable, unsigned mode = 0644);

// A directory below `parent` with a fresh name that starts with `prefix`,
// removed with all it holds on destruction unless keep() was called.
class TempDir {
 public:
  TempDir() = default;
  TempDir(const std::string& parent, std::string_view prefix);
  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&& other) noexcept;
  ~TempDir();

  const std::string& path() const { return path_; }
  explicit operator bool() const { return !path_.empty(); }
  void keep() { path_.clear(); }

 private:
  std::string path_;
};

// 2 * `bytes` lower-case hexadecimal digits from getrandom(2).
std::string random_hex(std::size_t bytes);

}  // namespace cbuild
