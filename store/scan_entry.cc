#include "store/scan_entry.h"

#include <sys/sysmacros.h>
#include <unistd.h>

#include <utility>

#include "store/held_back.h"

namespace cbuild::store {

EntryType type_of(const struct stat& st) {
  switch (st.st_mode & S_IFMT) {
    case S_IFDIR:
      return EntryType::directory;
    case S_IFLNK:
      return EntryType::symlink;
    case S_IFCHR:
      return st.st_rdev == 0 ? EntryType::whiteout
                             : EntryType::character_device;
    case S_IFBLK:
      return EntryType::block_device;
    case S_IFIFO:
      return EntryType::fifo;
    case S_IFSOCK:
      return EntryType::socket;
    default:
      return EntryType::file;
  }
}

IndexEntry describe(const struct stat& st, std::string path) {
  IndexEntry entry;
  entry.path = std::move(path);
  entry.type = type_of(st);
  // Of a whiteout only the path says anything.
  if (entry.type == EntryType::whiteout) return entry;
  entry.mode = st.st_mode & 07777;
  // Without a user namespace all that we make is ours, and root's in the image.
  static const uid_t own_uid = ::geteuid();
  static const gid_t own_gid = ::getegid();
  entry.uid = st.st_uid == own_uid ? 0 : st.st_uid;
  entry.gid = st.st_gid == own_gid ? 0 : st.st_gid;
  entry.mtime_seconds = st.st_mtim.tv_sec;
  entry.mtime_nanoseconds = static_cast<std::uint32_t>(st.st_mtim.tv_nsec);
  if (entry.type == EntryType::file)
    entry.size = static_cast<std::uint64_t>(st.st_size);
  if (entry.type == EntryType::character_device ||
      entry.type == EntryType::block_device) {
    entry.dev_major = major(st.st_rdev);
    entry.dev_minor = minor(st.st_rdev);
  }
  return entry;
}

void add_xattrs(IndexEntry& entry, const struct stat& st, XattrList&& xattrs) {
  entry.xattrs = std::move(xattrs.kept);
  if (xattrs.held.owner && (xattrs.held.owner->disk_uid != st.st_uid ||
                            xattrs.held.owner->disk_gid != st.st_gid))
    xattrs.held.owner.reset();
  apply_held_back(xattrs.held, entry);
}

}  // namespace cbuild::store
