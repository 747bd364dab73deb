#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/dir.h"
#include "base/error.h"
#include "base/overlay_marks.h"
#include "store/hash_entries.h"
#include "store/held_back.h"
#include "store/lower_owners.h"
#include "store/scan_entry.h"
#include "store/stream.h"

// Reads an upper directory depth first, names sorted: that is the order of an
// index. What is below a path is asked of the lower trees only where it matters
// (directories and whiteouts), so a small upper directory costs little over
// however large a base.

namespace cbuild::store {
namespace {

class Scan {
 public:
  Scan(int tree, const ScanOptions& options, const EntrySink& take)
      : tree_(tree),
        known_(options.known),
        since_(options.since),
        entries_(tree, options.threads, take) {
    ::clock_gettime(CLOCK_REALTIME, &now_);
  }

  void run(const std::vector<std::string>& lowers) {
    LowerTrees all;
    for (const std::string& lower : lowers) all.push_back(&lower);
    const Fd root = openat_path(tree_, ".", O_RDONLY | O_DIRECTORY);
    walk(root.get(), "", all);
    entries_.finish();
  }

 private:
  void walk(int dir, const std::string& prefix, const LowerTrees& lowers);
  void add_directory(int dir, const std::string& name, IndexEntry entry,
                     const struct stat& st, const LowerTrees& lowers);
  void add_other(int dir, const std::string& name, IndexEntry entry,
                 const struct stat& st, const LowerTrees& lowers);
  bool is_new(const timespec& modified) const;

  int tree_;
  KnownContents* known_;  // or nullptr
  std::optional<timespec> since_;
  timespec now_ = {};
  HashedEntries entries_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;
  LowerOwners lower_owners_;
};

// The lower trees in which `path` is a visible directory, given those of its
// parent; and whether anything at all is there.
std::pair<LowerTrees, bool> descend(const LowerTrees& parent,
                                    const std::string& path) {
  LowerTrees found;
  for (const std::string* lower : parent) {
    const std::string full = *lower + "/" + path;
    const auto st = lstat_at(AT_FDCWD, full);
    if (!st) continue;
    // Whatever is no directory ends the search: it hides what is below it.
    if (is_whiteout(full, *st)) return {found, !found.empty()};
    if (!S_ISDIR(st->st_mode)) return {found, true};
    found.push_back(lower);
    const Fd dir = open_path(full, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (read_xattrs(dir.get()).opaque) break;
  }
  return {found, !found.empty()};
}

// True where the directory was only copied up.
bool unchanged(const IndexEntry& entry, const std::string& lower) {
  const Fd dir = open_path(lower, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  struct stat st;
  check(::fstat(dir.get(), &st), "stat", lower);
  IndexEntry below = describe(st, "");
  add_xattrs(below, st, read_xattrs(dir.get()));
  return below.mode == entry.mode && below.uid == entry.uid &&
         below.gid == entry.gid && below.xattrs == entry.xattrs;
}

// True where what lies below under the same name is the same: moved away and
// back, or opened for writing and left alone. BuildKit's rule (sameDirent of
// util/overlay) believes an equal time with nanoseconds; here the contents
// decide, because a step can set a time back (cp -p, touch -r) and a change
// that is lost is worse than a file that is read.
bool same_as_below(int dir, const std::string& name, const IndexEntry& entry,
                   const struct stat& st, const LowerTrees& lowers) {
  for (const std::string* lower : lowers) {
    const std::string full = *lower + "/" + entry.path;
    const auto below = lstat_at(AT_FDCWD, full);
    if (!below) continue;
    if (below->st_mode != st.st_mode || below->st_uid != st.st_uid ||
        below->st_gid != st.st_gid || below->st_rdev != st.st_rdev ||
        below->st_size != st.st_size ||
        below->st_mtim.tv_sec != st.st_mtim.tv_sec ||
        below->st_mtim.tv_nsec != st.st_mtim.tv_nsec)
      return false;
    if (entry.type == EntryType::symlink)
      return readlink_at(dir, name) == readlink_at(AT_FDCWD, full);
    if (entry.type != EntryType::file) return true;
    const Fd mine = openat_path(dir, name, O_RDONLY | O_NOFOLLOW);
    const Fd other = open_path(full, O_RDONLY | O_NOFOLLOW);
    const XattrList left = read_xattrs(mine.get());
    const XattrList right = read_xattrs(other.get());
    return left.kept == right.kept && left.held == right.held &&
           same_content(mine.get(), other.get(), entry.path);
  }
  return false;
}

// Names in the directory `path` of the lower trees.
std::set<std::string> names_below(const LowerTrees& lowers,
                                  const std::string& path) {
  std::map<std::string, bool> seen;  // false: removed by a whiteout
  for (const std::string* lower : lowers) {
    const Fd dir = open_path(*lower + "/" + path, O_RDONLY | O_DIRECTORY);
    for (const std::string& name : list_dir(dir.get())) {
      const auto st = lstat_at(dir.get(), name);
      if (st) seen.emplace(name, !is_whiteout_at(dir.get(), name, *st));
    }
  }
  std::set<std::string> names;
  for (const auto& [name, there] : seen)
    if (there) names.insert(name);
  return names;
}

bool same_time(const struct stat& st, const std::string& lower) {
  const auto below = lstat_at(AT_FDCWD, lower);
  return below && below->st_mtim.tv_sec == st.st_mtim.tv_sec &&
         below->st_mtim.tv_nsec == st.st_mtim.tv_nsec;
}

// True where an opaque directory holds what it hides: moved away and back,
// which overlayfs does by copying. Found out before anything of it is kept.
bool same_tree_as_below(int dir, const IndexEntry& entry,
                        const LowerTrees& lowers) {
  if (lowers.empty() || !unchanged(entry, *lowers.front() + "/" + entry.path))
    return false;
  const std::vector<std::string> names = list_dir(dir);
  const std::set<std::string> below = names_below(lowers, entry.path);
  if (!std::equal(names.begin(), names.end(), below.begin(), below.end()))
    return false;
  for (const std::string& name : names) {
    const auto st = lstat_at(dir, name);
    if (!st) return false;
    IndexEntry inner = describe(*st, entry.path + "/" + name);
    if (inner.type != EntryType::directory) {
      if (!same_as_below(dir, name, inner, *st, lowers)) return false;
      continue;
    }
    const Fd child =
        openat_path(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    add_xattrs(inner, *st, read_xattrs(child.get()));
    const LowerTrees deeper = descend(lowers, inner.path).first;
    if (deeper.empty() || !same_time(*st, *deeper.front() + "/" + inner.path) ||
        !same_tree_as_below(child.get(), inner, deeper))
      return false;
  }
  return true;
}

bool earlier(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

// Nothing below can have that time.
bool Scan::is_new(const timespec& modified) const {
  return since_ && earlier(*since_, modified) && !earlier(now_, modified);
}

void Scan::walk(int dir, const std::string& prefix, const LowerTrees& lowers) {
  for (const std::string& name : list_dir(dir)) {
    const std::optional<struct stat> st = lstat_at(dir, name);
    if (!st) continue;
    IndexEntry entry = describe(*st, prefix + name);
    if (is_whiteout_at(dir, name, *st)) entry.type = EntryType::whiteout;
    if (entry.type == EntryType::directory)
      add_directory(dir, name, std::move(entry), *st, lowers);
    else if (entry.type != EntryType::whiteout) {
      if (!is_new(st->st_mtim) && same_as_below(dir, name, entry, *st, lowers))
        continue;
      // Its type may be held back.
      if (entry.type == EntryType::file && may_hold_back())
        add_xattrs(entry, *st, read_xattrs_at(dir, name));
      add_other(dir, name, std::move(entry), *st, lowers);
    } else if (descend(lowers, entry.path).second) {
      entries_.add(
          {.path = std::move(entry.path), .type = EntryType::whiteout});
    }
  }
}

// A tree must look as if a directory that is no change had never been copied
// up, its time included.
void set_time_of_below(int dir, const struct stat& st,
                       const std::string& lower) {
  const auto below = lstat_at(AT_FDCWD, lower);
  if (!below) throw SystemError(ENOENT, "stat", lower);
  const timespec times[2] = {st.st_atim, below->st_mtim};
  check(::futimens(dir, times), "set time of", lower);
}

void Scan::add_directory(int dir, const std::string& name, IndexEntry entry,
                         const struct stat& st, const LowerTrees& lowers) {
  const Fd child = openat_path(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  XattrList xattrs = read_xattrs(child.get());
  const bool opaque = xattrs.opaque;
  add_xattrs(entry, st, std::move(xattrs));
  auto [below, hides] = descend(lowers, entry.path);
  if (opaque) {
    if (same_tree_as_below(child.get(), entry, below))
      return set_time_of_below(child.get(), st,
                               *below.front() + "/" + entry.path);
    below.clear();
    // Opaque over nothing hides nothing.
    entry.opaque = hides;
  }
  const std::string path = entry.path;
  const bool copied_up =
      !below.empty() && unchanged(entry, *below.front() + "/" + path);
  entries_.add(std::move(entry));
  const std::uint64_t count = entries_.count();
  walk(child.get(), path + "/", below);
  if (!copied_up || entries_.count() != count) return;
  // Nothing in it is a change, so neither is it.
  entries_.take_back();
  set_time_of_below(child.get(), st, *below.front() + "/" + path);
}

void Scan::add_other(int dir, const std::string& name, IndexEntry entry,
                     const struct stat& st, const LowerTrees& lowers) {
  if (st.st_nlink > 1) {
    const auto [first, is_first] =
        first_names_.try_emplace({st.st_dev, st.st_ino}, entry.path);
    if (!is_first) {
      entry.type = EntryType::hardlink;
      entry.target = first->second;
      entry.size = entry.dev_major = entry.dev_minor = 0;
      entries_.add(std::move(entry));
      return;
    }
  }
  if (entry.type == EntryType::symlink) entry.target = readlink_at(dir, name);
  // A file's are read when it is open for its content.
  if (entry.type == EntryType::file && known_)
    entry.content = known_->find(entry.path);
  if (entry.type != EntryType::file)
    add_xattrs(entry, st, read_xattrs_at(dir, name));
  // Links and fifos can carry no attribute: their owner is in an index only.
  if (entry.type == EntryType::symlink || entry.type == EntryType::fifo)
    lower_owners_.apply(entry, st, lowers);
  entries_.add(std::move(entry));
}

}  // namespace

void scan_tree(int tree, const std::vector<std::string>& lowers,
               const ScanOptions& options, const EntrySink& take) {
  Scan(tree, options, take).run(lowers);
}

LayerIndex scan_tree(int tree, const std::vector<std::string>& lowers,
                     unsigned threads) {
  LayerIndex index;
  scan_tree(tree, lowers, {.threads = threads}, [&](IndexEntry&& entry) {
    index.entries.push_back(std::move(entry));
  });
  return index;
}

}  // namespace cbuild::store
