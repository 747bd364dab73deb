#include "store/tree_writer.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/dir.h"
#include "base/error.h"
#include "base/overlay_marks.h"
#include "store/held_back.h"
#include "store/stream.h"
#include "store/xattrs.h"

namespace cbuild::store {
namespace {

timespec time_of(const IndexEntry& entry) {
  return {static_cast<time_t>(entry.mtime_seconds),
          static_cast<long>(entry.mtime_nanoseconds)};
}

// Directories that only the paths below them name, in order.
std::vector<IndexEntry> implied_directories(const LayerIndex& index) {
  std::set<std::string, decltype(&path_less)> paths(path_less);
  for (const IndexEntry& entry : index.entries) {
    for (std::size_t slash = entry.path.rfind('/'); slash != std::string::npos;
         slash = entry.path.rfind('/', slash - 1)) {
      const std::string parent = entry.path.substr(0, slash);
      if (index.find(parent) != nullptr || !paths.insert(parent).second) break;
    }
  }
  std::vector<IndexEntry> directories;
  for (const std::string& path : paths) {
    IndexEntry& directory = directories.emplace_back();
    directory.path = path;
    directory.type = EntryType::directory;
    directory.mode = 0755;
  }
  return directories;
}

}  // namespace

void apply_attributes(int fd, const IndexEntry& entry) {
  // In this order: a change of owner clears setuid bits and capabilities.
  give(fd, entry.uid, entry.gid, entry.path);
  check(::fchmod(fd, entry.mode), "chmod", entry.path);
  if (!entry.xattrs.empty()) write_xattrs(fd, entry.xattrs);
  const timespec times[2] = {time_of(entry), time_of(entry)};
  check(::futimens(fd, times), "set time of", entry.path);
}

TreeWriter::TreeWriter(int tree) : tree_(tree), parents_(tree, true) {}

void TreeWriter::remove(const ParentDirs::Place& place) {
  remove_tree_at(place.dir, place.name);
}

void TreeWriter::begin_file(const IndexEntry& entry) {
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const ParentDirs::Place place = parents_.of(entry.path);
  int fd = ::openat(place.dir, place.name.c_str(), flags, 0600);
  if (fd == -1 && errno == EEXIST) {
    remove(place);
    fd = ::openat(place.dir, place.name.c_str(), flags, 0600);
    parents_.forget();  // a directory may have stood there
  }
  file_ = Fd(check(fd, "create", entry.path));
  written_ = 0;
}

void TreeWriter::write(std::string_view data, std::uint64_t offset) {
  // Few tarballs say where a file had holes; long runs of zeros become some.
  without_zeros(data, [&](std::string_view part, std::size_t at) {
    if (offset + at != written_)
      check(::lseek(file_.get(), static_cast<off_t>(offset + at), SEEK_SET),
            "seek", "");
    write_all(file_.get(), part, "layer");
    written_ = offset + at + part.size();
  });
}

void TreeWriter::end_file(const IndexEntry& entry) {
  if (written_ < entry.size)
    check(::ftruncate(file_.get(), static_cast<off_t>(entry.size)), "truncate",
          entry.path);
  apply_attributes(file_.get(), entry);
  file_.close();
}

void TreeWriter::add(const IndexEntry& entry) {
  const ParentDirs::Place place = parents_.of(entry.path);
  if (entry.type == EntryType::directory) {
    if (::mkdirat(place.dir, place.name.c_str(), 0700) == 0) return;
    if (errno != EEXIST) throw_system_error("mkdir", entry.path);
    const auto st = lstat_at(place.dir, place.name);
    if (st && S_ISDIR(st->st_mode)) return;
  }
  if (lstat_at(place.dir, place.name)) remove(place);
  make(place, entry);
  // The kept directory may be the one that was replaced, or in it.
  parents_.forget();
}

void TreeWriter::make(const ParentDirs::Place& place, const IndexEntry& entry) {
  const char* name = place.name.c_str();
  switch (entry.type) {
    case EntryType::directory:
      check(::mkdirat(place.dir, name, 0700), "mkdir", entry.path);
      return;
    case EntryType::symlink:
      check(::symlinkat(entry.target.c_str(), place.dir, name), "symlink",
            entry.path);
      break;
    case EntryType::hardlink: {
      ParentDirs targets(tree_, false);
      const ParentDirs::Place target = targets.of(entry.target);
      check(::linkat(target.dir, target.name.c_str(), place.dir, name, 0),
            "link", entry.path);
      return;  // the file's first name has its attributes
    }
    case EntryType::character_device:
    case EntryType::block_device:
      make_device_at(place.dir, place.name,
                     {entry.type, entry.dev_major, entry.dev_minor},
                     entry.path);
      break;
    case EntryType::fifo:
      check(::mkfifoat(place.dir, name, 0600), "mkfifo", entry.path);
      break;
    case EntryType::socket:
    case EntryType::file:
    case EntryType::whiteout:
      return;
  }
  set_attributes(place, entry);
}

void TreeWriter::set_attributes(const ParentDirs::Place& place,
                                const IndexEntry& entry) {
  const char* name = place.name.c_str();
  give_at(place.dir, place.name, entry.uid, entry.gid, entry.path);
  if (entry.type != EntryType::symlink)
    check(::fchmodat(place.dir, name, entry.mode, 0), "chmod", entry.path);
  write_xattrs_at(place.dir, place.name, entry.xattrs);
  const timespec times[2] = {time_of(entry), time_of(entry)};
  check(::utimensat(place.dir, name, times, AT_SYMLINK_NOFOLLOW), "set time of",
        entry.path);
}

void TreeWriter::finish_directory(const IndexEntry& entry) {
  const Fd dir =
      open_in_root(tree_, entry.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (entry.opaque) mark_opaque(dir.get());
  apply_attributes(dir.get(), entry);
}

std::vector<std::string> TreeWriter::finish(const LayerIndex& index) {
  for (const IndexEntry& entry : index.entries) {
    if (entry.type == EntryType::whiteout) {
      const ParentDirs::Place place = parents_.of(entry.path);
      make_whiteout_at(place.dir, place.name);
    } else if (entry.type == EntryType::directory && entry.opaque) {
      add(entry);  // a marker may have come without its directory
    }
  }
  const std::vector<IndexEntry> implied = implied_directories(index);
  std::vector<const IndexEntry*> directories;
  for (const IndexEntry& entry : index.entries)
    if (entry.type == EntryType::directory) directories.push_back(&entry);
  for (const IndexEntry& entry : implied) directories.push_back(&entry);
  // Deepest first: a time is set after the last change to its directory.
  std::sort(directories.begin(), directories.end(),
            [](const IndexEntry* a, const IndexEntry* b) {
              return path_less(b->path, a->path);
            });
  for (const IndexEntry* entry : directories) finish_directory(*entry);
  std::vector<std::string> paths;
  for (const IndexEntry& entry : implied) paths.push_back(entry.path);
  return paths;
}

}  // namespace cbuild::store
