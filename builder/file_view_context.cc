// A build context, read in place.
//
// Paths of a view have no symbolic links in them, so every path is opened with
// RESOLVE_NO_SYMLINKS below the context's own descriptor: neither a link nor a
// rename under our feet leads out of it.
#include "builder/file_view_context.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "base/cgroups.h"
#include "base/dir.h"
#include "base/error.h"
#include "base/text.h"
#include "builder/file_view_links.h"
#include "store/content_digest.h"

namespace cbuild::builder {
namespace {

// An empty Fd where nothing is there, a link among the parents included.
Fd open_plain(int root, const std::string& path, int flags) {
  open_how how = {};
  how.flags = static_cast<unsigned>(flags) | O_CLOEXEC | O_NOFOLLOW;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  const char* name = path.empty() ? "." : path.c_str();
  for (;;) {
    const long fd = ::syscall(SYS_openat2, root, name, &how, sizeof how);
    if (fd >= 0) return Fd(static_cast<int>(fd));
    if (errno == EAGAIN || errno == EINTR) continue;
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return Fd();
    throw_system_error("open", path);
  }
}

store::EntryType type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return store::EntryType::directory;
    case S_IFLNK:
      return store::EntryType::symlink;
    case S_IFCHR:
      return store::EntryType::character_device;
    case S_IFBLK:
      return store::EntryType::block_device;
    case S_IFIFO:
      return store::EntryType::fifo;
    case S_IFSOCK:
      return store::EntryType::socket;
    default:
      return store::EntryType::file;
  }
}

ViewEntry plain_entry(const struct stat& st, std::string name) {
  ViewEntry entry;
  entry.name = std::move(name);
  entry.type = type_of(st.st_mode);
  entry.mode = st.st_mode & 07777;
  if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
    entry.dev_major = major(st.st_rdev);
    entry.dev_minor = minor(st.st_rdev);
  }
  if (S_ISREG(st.st_mode)) entry.size = static_cast<std::uint64_t>(st.st_size);
  entry.mtime_seconds = st.st_mtim.tv_sec;
  entry.mtime_nanoseconds = static_cast<std::uint32_t>(st.st_mtim.tv_nsec);
  entry.linked = st.st_nlink > 1 && !S_ISDIR(st.st_mode);
  entry.identity = identity_of(st);
  return entry;
}

struct stat stat_of(int fd, const std::string& path) {
  struct stat st;
  check(::fstat(fd, &st), "stat", path);
  return st;
}

std::string joined(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

std::string absolute(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(
      ::realpath(path.c_str(), nullptr), &std::free);
  if (!real) throw_system_error("open", path);
  return real.get();
}

}  // namespace

ContextTree::ContextTree(const std::string& directory,
                         parser::IgnoreMatcher ignore,
                         const std::string& stat_table_dir,
                         std::vector<std::string> places, ContextMode mode)
    : directory_(absolute(directory)),
      root_(open_path(directory_, O_RDONLY | O_DIRECTORY)),
      ignore_(std::move(ignore)),
      places_(std::move(places)),
      mode_(mode),
      table_(stat_table_dir + "/" + store::sha256(directory_).hex()) {}

ViewEntry ContextTree::entry_of(const struct stat& st, std::string name) const {
  ViewEntry entry = plain_entry(st, std::move(name));
  if (mode_ == ContextMode::git)
    entry.mode = entry.directory() || (entry.mode & 0100) ? 0755 : 0644;
  return entry;
}

// Whether or not it is ignored.
std::optional<ViewEntry> ContextTree::find_any(const std::string& path) const {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos && !path.empty()) {
    const std::optional<struct stat> st = lstat_at(root_.get(), path);
    if (!st) return std::nullopt;
    return entry_of(*st, path);
  }
  const Fd fd = open_plain(root_.get(), path, O_PATH);
  if (!fd) return std::nullopt;
  return entry_of(stat_of(fd.get(), path),
                  path.empty() ? path : path.substr(slash + 1));
}

std::vector<ViewEntry> ContextTree::list_any(const std::string& path) const {
  std::vector<ViewEntry> entries;
  const Fd fd = open_plain(root_.get(), path, O_RDONLY | O_DIRECTORY);
  if (!fd) return entries;
  std::vector<std::string> names = list_dir(fd.get());
  entries.reserve(names.size());
  for (std::string& name : names) {
    const std::optional<struct stat> st = lstat_at(fd.get(), name);
    if (st) entries.push_back(entry_of(*st, std::move(name)));
  }
  return entries;
}

std::optional<ViewEntry> ContextTree::find(const std::string& path) const {
  std::optional<ViewEntry> entry = find_any(path);
  if (!entry || !visible(path, entry->directory())) return std::nullopt;
  return entry;
}

std::vector<ViewEntry> ContextTree::list(const std::string& path) const {
  std::vector<ViewEntry> entries = list_any(path);
  if (ignore_.empty()) return entries;
  std::erase_if(entries, [&](const ViewEntry& entry) {
    return !visible(joined(path, entry.name), entry.directory());
  });
  return entries;
}

bool ContextTree::visible(const std::string& path, bool directory) const {
  if (path.empty() || ignore_.empty() || !ignore_.matches(path)) return true;
  return directory && holds_kept(path);
}

// An excluded directory exists if anything in it was brought back.
bool ContextTree::holds_kept(const std::string& path) const {
  if (!ignore_.has_exclusions() || ignore_.can_prune(path)) return false;
  {
    const std::lock_guard lock(kept_mutex_);
    if (const auto it = kept_.find(path); it != kept_.end()) return it->second;
  }
  bool kept = false;
  for (const ViewEntry& entry : list_any(path)) {
    kept = visible(joined(path, entry.name), entry.directory());
    if (kept) break;
  }
  const std::lock_guard lock(kept_mutex_);
  kept_[path] = kept;
  return kept;
}

FileFacts ContextTree::facts(const std::string& path,
                             const ViewEntry& entry) const {
  was_read_ = true;
  if (std::optional<FileFacts> known = table_.find(entry.identity))
    return *known;
  const std::int64_t read_at = StatTable::clock();
  // O_NONBLOCK: should a fifo have taken the file's place, do not wait for it.
  const Fd fd = open_plain(root_.get(), path, O_RDONLY | O_NONBLOCK);
  if (!fd) throw SystemError(ENOENT, "open", path);
  const struct stat before = stat_of(fd.get(), path);
  if (!S_ISREG(before.st_mode))
    throw Error(path + " changed while it was read");
  const unsigned threads =
      entry.size >= store::kLargeContent ? usable_cpus() : 1;
  FileFacts facts{
      store::content_digest(fd.get(), identity_of(before).size, path, threads),
      !read_xattrs(fd.get(), path).empty()};
  if (identity_of(stat_of(fd.get(), path)) != identity_of(before))
    throw Error(path + " changed while it was read");
  table_.put(identity_of(before), facts, read_at);
  return facts;
}

store::Digest ContextTree::content(const std::string& path,
                                   const ViewEntry& entry) const {
  return facts(path, entry).content;
}

Xattrs ContextTree::xattrs(const std::string& path,
                           const ViewEntry& entry) const {
  if (mode_ == ContextMode::git) return {};
  const bool file = entry.type == store::EntryType::file;
  // The kernel has user.* and capabilities for files and directories only.
  if (!file && !entry.directory()) return {};
  if (file && !facts(path, entry).has_xattrs) return {};
  const Fd fd = open_plain(root_.get(), path, O_RDONLY | O_NONBLOCK);
  if (!fd) throw SystemError(ENOENT, "open", path);
  return read_xattrs(fd.get(), path);
}

std::string ContextTree::link_target(const std::string& path,
                                     const ViewEntry&) const {
  const Fd fd = open_plain(root_.get(), path, O_PATH);
  if (!fd) throw SystemError(ENOENT, "readlink", path);
  return readlink_at(fd.get(), "");
}

std::string ContextTree::link_id(const std::string&,
                                 const ViewEntry& entry) const {
  if (!entry.linked) return {};
  return std::to_string(entry.identity.device) + ":" +
         std::to_string(entry.identity.inode);
}

std::optional<std::string> ContextTree::resolve(const std::string& path) const {
  // Mostly there is nothing to follow, and one look shows it.
  const bool clean = path.empty() || clean_path(path) == path;
  const std::optional<ViewEntry> plain = clean ? find(path) : std::nullopt;
  if (plain && plain->type != store::EntryType::symlink) return path;
  return follow_links(
      path, [this](const std::string& part) -> std::optional<LinkStep> {
        const std::optional<ViewEntry> entry = find(part);
        if (!entry) return std::nullopt;
        LinkStep step;
        step.directory = entry->directory();
        if (entry->type == store::EntryType::symlink)
          step.target = link_target(part, *entry);
        return step;
      });
}

std::string ContextTree::reason_absent(const std::string& path) const {
  if (ignore_.empty() || path.empty() || !ignore_.matches(path)) return {};
  const int pattern = ignore_.deciding_pattern(path);
  if (pattern < 0) return {};
  const std::size_t index = static_cast<std::size_t>(pattern);
  if (index < places_.size()) return "excluded by " + places_[index];
  return "excluded by pattern " + std::to_string(index + 1) +
         " of the ignore file";
}

}  // namespace cbuild::builder
