#include "builder/copy_target.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/dir.h"
#include "base/error.h"
#include "base/text.h"
#include "builder/copy_files.h"
#include "builder/file_view_links.h"

namespace cbuild::builder {
namespace {

std::optional<LinkStep> look_at(int root, const std::string& path) {
  const std::optional<Fd> fd =
      try_open_in_root(root, path, O_PATH | O_NOFOLLOW);
  if (!fd) return std::nullopt;
  struct stat st;
  check(::fstat(fd->get(), &st), "stat", path);
  LinkStep step;
  step.directory = S_ISDIR(st.st_mode);
  if (S_ISLNK(st.st_mode)) step.target = readlink_at(fd->get(), "");
  return step;
}

// A setgid parent hands on its group and the bit; the umask has no say.
void finish_new(int parent, const std::string& name, const std::string& path,
                const NewDirectory& style) {
  const Fd made =
      openat_path(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  struct stat st;
  check(::fstat(made.get(), &st), "stat", path);
  if (style.owner &&
      !store::give(made.get(), style.owner->uid, style.owner->gid, path))
    throw Error("chown /" + path +
                ": refused, and the store's file system has no user.* "
                "attributes to keep the owner in");
  if ((st.st_mode & 0777) != style.mode)
    check(::fchmod(made.get(), style.mode | (st.st_mode & S_ISGID)), "chmod",
          path);
}

}  // namespace

std::string resolve_destination(int root, const std::string& path) {
  return follow_existing_links(
      path, [root](const std::string& part) { return look_at(root, part); });
}

std::vector<std::string> make_missing(int root, const std::string& path,
                                      const NewDirectory& style) {
  std::vector<std::string> made;
  if (path.empty()) return made;
  std::string done;
  Fd parent = open_directory(root, "");
  for (const std::string& name : split(path, '/')) {
    done += done.empty() ? name : "/" + name;
    std::optional<Fd> next =
        try_openat(parent.get(), name, O_PATH | O_NOFOLLOW);
    if (!next) {
      check(::mkdirat(parent.get(), name.c_str(), style.mode), "mkdir",
            "/" + done);
      finish_new(parent.get(), name, done, style);
      made.push_back(done);
      next = openat_path(parent.get(), name, O_PATH | O_NOFOLLOW);
    }
    struct stat st;
    check(::fstat(next->get(), &st), "stat", done);
    if (!S_ISDIR(st.st_mode))
      throw Error("mkdir /" + done + ": not a directory");
    parent = std::move(*next);
  }
  return made;
}

Fd open_directory(int root, const std::string& path) {
  return open_in_root(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

void clear_place(int directory, const std::string& name,
                 const std::string& path, store::KnownContents& contents) {
  const std::optional<struct stat> st = lstat_at(directory, name);
  if (!st) return;
  if (S_ISDIR(st->st_mode))
    throw Error("cannot replace to directory /" + path + " with file");
  check(::unlinkat(directory, name.c_str(), 0), "unlink", "/" + path);
  contents.forget_all();
}

void set_time(int fd, std::int64_t seconds, std::uint32_t nanoseconds,
              const std::string& path) {
  timespec times[2] = {};
  times[0].tv_sec = times[1].tv_sec = seconds;
  times[0].tv_nsec = times[1].tv_nsec = nanoseconds;
  check(::futimens(fd, times), "set the time of", "/" + path);
}

void set_time_now(int fd, const std::optional<std::int64_t>& latest,
                  const std::string& path) {
  if (latest) return set_time(fd, *latest, 0, path);
  check(::futimens(fd, nullptr), "set the time of", "/" + path);
}

std::string parent_path(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::string last_component(const std::string& path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

void make_directories(int root, const std::string& path, std::uint32_t uid,
                      std::uint32_t gid, std::optional<std::int64_t> mtime) {
  const std::string resolved = resolve_destination(root, path);
  NewDirectory style;
  // Root's own directories keep the group that a setgid parent gives them.
  if (uid != 0 || gid != 0) style.owner = FileOwner{uid, gid};
  const std::vector<std::string> made = make_missing(root, resolved, style);
  if (!mtime) return;
  for (auto it = made.rbegin(); it != made.rend(); ++it)
    set_time(open_directory(root, *it).get(), *mtime, 0, *it);
}

}  // namespace cbuild::builder
