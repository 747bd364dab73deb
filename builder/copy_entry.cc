// The part of TreeCopier that makes one file, link or device.
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/dir.h"
#include "base/error.h"
#include "base/log.h"
#include "builder/copy_tree.h"
#include "builder/copy_xattrs.h"

namespace cbuild::builder {
namespace {

timespec time_of(const ViewEntry& entry,
                 const std::optional<std::int64_t>& latest) {
  timespec time = {};
  time.tv_sec = entry.mtime_seconds;
  time.tv_nsec = entry.mtime_nanoseconds;
  if (!latest || time.tv_sec < *latest) return time;
  time.tv_sec = *latest;
  time.tv_nsec = 0;
  return time;
}

}  // namespace

FileOwner TreeCopier::owner_of(const ViewEntry& entry) const {
  return style_.owner.value_or(FileOwner{entry.uid, entry.gid});
}

std::uint32_t TreeCopier::mode_of(const ViewEntry& entry) const {
  return style_.mode ? style_.mode->apply(entry.mode, entry.directory())
                     : entry.mode;
}

void TreeCopier::copy_entry(int source, const ViewEntry& entry,
                            const std::string& path, int target,
                            const std::string& name,
                            const std::string& destination) {
  using store::EntryType;
  switch (entry.type) {
    case EntryType::file:
      if (!link_to_earlier(entry, path, target, name, destination))
        copy_file(source, entry, path, target, name, destination);
      return;
    case EntryType::symlink:
      copy_link(entry, path, target, name, destination);
      return;
    case EntryType::character_device:
    case EntryType::block_device:
    case EntryType::fifo:
      copy_special(entry, target, name, destination);
      return;
    case EntryType::directory:
    case EntryType::hardlink:
    case EntryType::socket:
    case EntryType::whiteout:
      throw Error("/" + path + ": cannot be copied");
  }
}

// A further name of a file that this match has copied already.
bool TreeCopier::link_to_earlier(const ViewEntry& entry,
                                 const std::string& path, int target,
                                 const std::string& name,
                                 const std::string& destination) {
  const std::string id = from_.link_id(path, entry);
  if (id.empty()) return false;
  const auto [it, first] = first_names_.emplace(id, destination);
  if (first) return false;
  make_in_place(target, name, destination, "link", result_.contents, [&] {
    return ::linkat(destination_root_, it->second.c_str(), target, name.c_str(),
                    0);
  });
  return true;
}

void TreeCopier::copy_file(int source, const ViewEntry& entry,
                           const std::string& path, int target,
                           const std::string& name,
                           const std::string& destination) {
  // What the step's key was computed from is what must be copied, or the step
  // would be recorded under the key of other files.
  const auto changed = [&] {
    return Error("/" + path + " changed during the build");
  };
  const std::optional<store::Digest> expected = from_.known_content(entry);
  if (from_.was_read() && !expected) throw changed();
  // O_NONBLOCK: should a fifo have taken the file's place, do not wait for it.
  const Fd in = openat_path(source, last_component(path),
                            O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  const int created =
      make_in_place(target, name, destination, "create", result_.contents, [&] {
        return ::openat(target, name.c_str(),
                        O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        0600);
      });
  Fd out(created);
  const bool settled =
      entry.size > ContentCopier::kSmall && from_.settled(entry);
  const std::optional<store::Digest> written = content_.copy(
      in.get(), out.get(), entry, path, settled ? expected : std::nullopt);
  if (written && expected && *written != *expected) throw changed();
  const bool plain =
      set_metadata(out.get(), entry, path, in.get(), destination);
  out.close();
  if (written && plain) result_.contents.add(destination, *written);
}

void TreeCopier::copy_special(const ViewEntry& entry, int target,
                              const std::string& name,
                              const std::string& destination) {
  const bool whiteout = entry.type == store::EntryType::character_device &&
                        entry.dev_major == 0 && entry.dev_minor == 0;
  if (whiteout)
    throw Error("/" + destination +
                ": a character device 0:0 means a deletion to overlayfs");
  if (entry.type == store::EntryType::fifo) {
    make_in_place(target, name, destination, "mkfifo", result_.contents,
                  [&] { return ::mkfifoat(target, name.c_str(), 0600); });
  } else {
    const store::HeldBack::Device device{entry.type, entry.dev_major,
                                         entry.dev_minor};
    clear_place(target, name, destination, result_.contents);
    if (!store::make_device_at(target, name, device, "/" + destination))
      result_.held[destination].device = device;
  }
  give_at(target, name, entry, destination);
  // Just made and no link: following is harmless.
  check(::fchmodat(target, name.c_str(), mode_of(entry), 0), "chmod",
        "/" + destination);
  const timespec time = time_of(entry, style_.latest);
  const timespec times[2] = {time, time};
  check(::utimensat(target, name.c_str(), times, AT_SYMLINK_NOFOLLOW),
        "set the time of", "/" + destination);
}

void TreeCopier::copy_link(const ViewEntry& entry, const std::string& path,
                           int target, const std::string& name,
                           const std::string& destination) {
  const std::string to = from_.link_target(path, entry);
  make_in_place(target, name, destination, "symlink", result_.contents,
                [&] { return ::symlinkat(to.c_str(), target, name.c_str()); });
  give_at(target, name, entry, destination);
  const timespec time = time_of(entry, style_.latest);
  const timespec times[2] = {time, time};
  check(::utimensat(target, name.c_str(), times, AT_SYMLINK_NOFOLLOW),
        "set the time of", "/" + destination);
}

void TreeCopier::give_at(int target, const std::string& name,
                         const ViewEntry& entry,
                         const std::string& destination) {
  const FileOwner owner = owner_of(entry);
  if (!store::give_at(target, name, owner.uid, owner.gid, "/" + destination))
    result_.held[destination].owner = {owner.uid, owner.gid};
}

// The order matters: writing and chown take set-id bits and capabilities away.
// True where there are no extended attributes.
bool TreeCopier::set_metadata(int fd, const ViewEntry& entry,
                              const std::string& path, int source,
                              const std::string& destination) {
  const FileOwner owner = owner_of(entry);
  if (!store::give(fd, owner.uid, owner.gid, "/" + destination))
    result_.held[destination].owner = {owner.uid, owner.gid};
  check(::fchmod(fd, mode_of(entry)), "chmod", "/" + destination);
  const bool plain = !copy_xattrs(fd, entry, path, source, destination);
  set_times(fd, entry, destination);
  return plain;
}

void TreeCopier::set_times(int fd, const ViewEntry& entry,
                           const std::string& destination) {
  const timespec time = time_of(entry, style_.latest);
  set_time(fd, time.tv_sec, static_cast<std::uint32_t>(time.tv_nsec),
           destination);
}

// False where there are none to copy.
bool TreeCopier::copy_xattrs(int fd, const ViewEntry& entry,
                             const std::string& path, int source,
                             const std::string& destination) {
  if (from_.mode() == ContextMode::git) return false;
  Xattrs xattrs = from_.is_context() ? read_xattrs(source, path)
                                     : from_.xattrs(path, entry);
  if (xattrs.empty()) return false;
  if (const auto capability = xattrs.extract("security.capability");
      capability &&
      !store::set_capability(fd, capability.mapped(), "/" + destination))
    result_.held[destination].capability = capability.mapped();
  if (xattrs.empty() || write_xattrs(fd, xattrs, "/" + destination))
    return true;
  if (!told_xattrs_)
    warn("the store's file system refuses extended attributes, first of /" +
         destination);
  told_xattrs_ = true;
  return true;
}

}  // namespace cbuild::builder
