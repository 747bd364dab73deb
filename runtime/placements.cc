#include "runtime/placements.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstdio>

#include "base/dir.h"
#include "base/error.h"
#include "base/text.h"
#include "runtime/resolve.h"
#include "runtime/socket_forward.h"
#include "runtime/tree_copy.h"

namespace cbuild::runtime {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY;

// Puts the times of a directory back.
class KeptTimes {
 public:
  explicit KeptTimes(int directory) : directory_(directory) {
    check(::fstat(directory, &before_), "stat", "parent of a mount");
  }
  ~KeptTimes() {
    const timespec times[2] = {before_.st_atim, before_.st_mtim};
    ::futimens(directory_, times);
  }
  KeptTimes(const KeptTimes&) = delete;
  KeptTimes& operator=(const KeptTimes&) = delete;

 private:
  int directory_;
  struct stat before_;
};

std::string proc_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

void set_owner(int dir, const std::string& name, std::uint32_t uid,
               std::uint32_t gid, unsigned mode) {
  check(::fchownat(dir, name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW), "chown",
        name);
  check(::fchmodat(dir, name.c_str(), mode, 0), "chmod", name);
}

void empty_directory(int dir) {
  for (const std::string& name : list_dir(dir)) remove_tree_at(dir, name);
}

}  // namespace

void Placements::make_parent(int parent, const std::string& name,
                             const std::string& path) {
  const KeptTimes times(parent);
  check(::mkdirat(parent, name.c_str(), 0755), "mkdir", path);
  check(::fchmodat(parent, name.c_str(), 0755, 0), "chmod", path);
  made_.push_back(path);
}

Placements::Spot Placements::clear(const std::string& target) {
  const ResolvedPath path = resolve_in_root(root_, target);
  if (path.parts.empty()) throw Error("mount " + target + ": it is the root");
  Place place;
  place.path = path.path();
  const std::size_t made = made_.size();
  for (std::size_t i = path.existing; i + 1 < path.parts.size(); ++i) {
    const Fd parent = open_in_root(root_, path.prefix(i), kDirectory);
    make_parent(parent.get(), path.parts[i], path.prefix(i + 1));
  }
  place.parents = made_.size() - made;
  Spot spot{open_in_root(root_, parent_of(place.path), kDirectory),
            path.parts.back()};
  if (path.exists()) {
    const KeptTimes times(spot.parent.get());
    place.moved = aside_ + "/" + std::to_string(places_.size());
    check(::renameat(spot.parent.get(), spot.name.c_str(), AT_FDCWD,
                     place.moved.c_str()),
          "rename", target);
  }
  places_.push_back(std::move(place));
  return spot;
}

void Placements::directory(const std::string& target, unsigned mode) {
  const Spot spot = clear(target);
  const KeptTimes times(spot.parent.get());
  check(::mkdirat(spot.parent.get(), spot.name.c_str(), mode), "mkdir", target);
  check(::fchmodat(spot.parent.get(), spot.name.c_str(), mode, 0), "chmod",
        target);
}

void Placements::file(const SecretMount& file) {
  const Spot spot = clear(file.target);
  const KeptTimes times(spot.parent.get());
  Fd out = openat_path(spot.parent.get(), spot.name,
                       O_WRONLY | O_CREAT | O_EXCL, 0600);
  write_all(out.get(), file.content, file.target);
  out.close();
  set_owner(spot.parent.get(), spot.name, file.uid, file.gid, file.mode);
}

void Placements::link(const std::string& target, const std::string& text) {
  const Spot spot = clear(target);
  const KeptTimes times(spot.parent.get());
  check(::symlinkat(text.c_str(), spot.parent.get(), spot.name.c_str()),
        "symlink", target);
}

void Placements::character_device(const std::string& target, unsigned major,
                                  unsigned minor) {
  const Spot spot = clear(target);
  const KeptTimes times(spot.parent.get());
  check(::mknodat(spot.parent.get(), spot.name.c_str(), S_IFCHR | 0666,
                  ::makedev(major, minor)),
        "mknod", target);
  check(::fchmodat(spot.parent.get(), spot.name.c_str(), 0666, 0), "chmod",
        target);
}

Fd Placements::socket(const SocketMount& socket) {
  const Spot spot = clear(socket.target);
  const KeptTimes times(spot.parent.get());
  Fd listener = listen_at(proc_path(spot.parent.get()) + "/" + spot.name);
  set_owner(spot.parent.get(), spot.name, socket.uid, socket.gid, socket.mode);
  return listener;
}

void Placements::bind(const BindMount& bind) {
  const Fd source = open_in_root(
      bind.source_root, clean_path("/" + bind.source), O_RDONLY | O_NONBLOCK);
  struct stat st;
  check(::fstat(source.get(), &st), "stat", bind.source);
  const Spot spot = clear(bind.target);
  const KeptTimes times(spot.parent.get());
  if (!S_ISDIR(st.st_mode)) {
    copy_file(source.get(), st, spot.parent.get(), spot.name);
    return;
  }
  check(::mkdirat(spot.parent.get(), spot.name.c_str(), 0700), "mkdir",
        bind.target);
  const Fd copy = openat_path(spot.parent.get(), spot.name, kDirectory);
  apply_layer(source.get(), copy.get(), CopyMode::scratch);
  copy_directory_attributes(source.get(), st, copy.get(), CopyMode::scratch);
  if (!bind.read_only && bind.discard_writes_in.empty())
    places_.back().give_back = readlink_at(AT_FDCWD, proc_path(source.get()));
}

// By exchange, so that there is the old or the new whenever we are killed;
// where it lies on another file system by copying.
void Placements::give_back(int parent, const std::string& name,
                           const std::string& directory) {
  if (::renameat2(parent, name.c_str(), AT_FDCWD, directory.c_str(),
                  RENAME_EXCHANGE) == 0)
    return;
  if (errno != EXDEV && errno != EINVAL)
    throw_system_error("exchange", directory);
  const Fd from = openat_path(parent, name, kDirectory);
  const Fd to = open_path(directory, kDirectory);
  empty_directory(to.get());
  apply_layer(from.get(), to.get(), CopyMode::scratch);
}

void Placements::remove(const Place& place) {
  // The command may have removed the way there, or put a link in it.
  const ResolvedPath path = resolve_in_root(root_, parent_of(place.path));
  if (!path.exists() || path.path() != parent_of(place.path)) return;
  const auto parent = try_open_in_root(root_, path.path(), kDirectory);
  if (!parent) return;
  const KeptTimes times(parent->get());
  const std::string name = name_of(place.path);
  const auto st = lstat_at(parent->get(), name);
  if (!place.give_back.empty() && st && S_ISDIR(st->st_mode))
    give_back(parent->get(), name, place.give_back);
  if (st) remove_tree_at(parent->get(), name);
  if (!place.moved.empty())
    check(
        ::renameat(AT_FDCWD, place.moved.c_str(), parent->get(), name.c_str()),
        "rename", place.path);
}

void Placements::remove() {
  for (; !places_.empty(); places_.pop_back()) {
    const Place& place = places_.back();
    remove(place);
    for (std::size_t i = 0; i < place.parents; ++i, made_.pop_back()) {
      const std::string& path = made_.back();
      if (resolve_in_root(root_, path).path() != path) continue;
      const auto parent = try_open_in_root(root_, parent_of(path), kDirectory);
      if (!parent) continue;
      const KeptTimes times(parent->get());
      if (::unlinkat(parent->get(), name_of(path).c_str(), AT_REMOVEDIR) ==
              -1 &&
          errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT &&
          errno != ENOTDIR)
        throw_system_error("remove mount point", path);
    }
  }
}

}  // namespace cbuild::runtime
