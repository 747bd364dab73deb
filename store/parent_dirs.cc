#include "store/parent_dirs.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/dir.h"
#include "base/error.h"

namespace cbuild::store {

ParentDirs::Place ParentDirs::of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {root_, std::string(path)};
  const std::string_view parent = path.substr(0, slash);
  if (!open_ || parent != path_) {
    path_ = parent;
    open_ = open_or_create(path_);
  }
  return {open_.get(), std::string(path.substr(slash + 1))};
}

Fd ParentDirs::open_or_create(const std::string& path) {
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  if (!create_) return open_in_root(root_, path, flags);
  if (std::optional<Fd> there = try_open_in_root(root_, path, flags))
    return std::move(*there);
  const std::size_t slash = path.rfind('/');
  const bool top = slash == std::string::npos;
  const Fd parent = top ? openat_path(root_, ".", flags)
                        : open_or_create(path.substr(0, slash));
  const std::string name = top ? path : path.substr(slash + 1);
  if (::mkdirat(parent.get(), name.c_str(), 0700) == -1 && errno != EEXIST)
    throw_system_error("mkdir", path);
  return openat_path(parent.get(), name, flags);
}

}  // namespace cbuild::store
