#include "builder/unpack_archive.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

#include "base/dir.h"
#include "base/file_capability.h"
#include "base/text.h"
#include "builder/copy_xattrs.h"
#include "store/tar.h"

namespace cbuild::builder {
namespace {

constexpr std::size_t kHeaderSize = 512;

store::ByteSource whole(int file) {
  check(::lseek(file, 0, SEEK_SET), "seek in", "archive");
  return [file](char* buffer, std::size_t size) {
    return read_some(file, buffer, size, "archive");
  };
}

// As go-archive/compression tells them: gzip, bzip2, xz, zstd, and zstd behind
// a skippable frame.
bool looks_compressed(std::string_view start) {
  using namespace std::string_view_literals;
  for (const std::string_view magic :
       {"\x1f\x8b\x08"sv, "BZh"sv, "\xfd\x37\x7a\x58\x5a\x00"sv,
        "\x28\xb5\x2f\xfd"sv})
    if (start.starts_with(magic)) return true;
  return start.size() >= 8 && (start[0] & '\xf0') == '\x50' &&
         start.substr(1, 3) == "\x2a\x4d\x18"sv;
}

// A tar header's check sum is the sum of its bytes, its own field counting as
// blanks; old programs summed signed bytes.
bool looks_like_header(std::string_view block) {
  if (block.size() < kHeaderSize) return false;
  std::int64_t plain = 0;
  std::int64_t with_signs = 0;
  for (std::size_t i = 0; i < kHeaderSize; ++i) {
    const char c = i >= 148 && i < 156 ? ' ' : block[i];
    plain += static_cast<unsigned char>(c);
    with_signs += static_cast<signed char>(c);
  }
  std::int64_t stated = 0;
  bool digits = false;
  for (const char c : block.substr(148, 8)) {
    if (c < '0' || c > '7') continue;
    stated = stated * 8 + (c - '0');
    digits = true;
  }
  return digits && (stated == plain || stated == with_signs);
}

std::optional<store::IndexEntry> next_member(store::TarReader& reader) {
  try {
    return reader.next();
  } catch (const SystemError&) {
    throw;
  } catch (Error& e) {
    e.add_context("invalid tar header");
    throw;
  }
}

void note_time(const store::IndexEntry& entry,
               std::optional<std::int64_t>& newest) {
  if (entry.type == store::EntryType::file)
    newest =
        std::max(newest.value_or(entry.mtime_seconds), entry.mtime_seconds);
}

class Unpacker {
 public:
  Unpacker(int root, const std::optional<FileOwner>& owner,
           const std::optional<std::int64_t>& latest)
      : root_(root), owner_(owner), latest_(latest) {}

  void add(store::TarReader& reader, const store::IndexEntry& entry) {
    if (clean_path(entry.path) == ".") return;
    path_ = clean_path("/" + entry.path).substr(1);
    directory_ = open_parent();
    name_ = path_.empty() ? "." : path_.substr(path_.rfind('/') + 1);
    if (!path_.empty()) clear(entry);
    make(reader, entry);
    set_metadata(entry);
    if (entry.type == store::EntryType::directory)
      directories_.emplace_back(path_, entry);
  }

  // What was put into directories changed their times.
  store::HeldBackPaths finish() {
    for (const auto& [path, entry] : directories_) {
      const Fd directory = open_in_root(root_, path, O_RDONLY | O_DIRECTORY);
      const timespec time = time_of(entry);
      set_time(directory.get(), time.tv_sec,
               static_cast<std::uint32_t>(time.tv_nsec), path);
    }
    return std::move(held_);
  }

 private:
  // Of `path_`, made if it is missing; links on the way are followed.
  Fd open_parent() {
    const std::string parent = parent_path(path_);
    if (!try_open_in_root(root_, parent, O_PATH | O_NOFOLLOW))
      make_missing(root_, resolve_destination(root_, parent), NewDirectory{});
    Fd found = open_in_root(root_, parent, O_PATH);
    struct stat st;
    check(::fstat(found.get(), &st), "stat", "/" + parent);
    if (!S_ISDIR(st.st_mode))
      throw Error("open /" + path_ + ": not a directory");
    return found;
  }

  // What is there goes, but a directory for a directory.
  void clear(const store::IndexEntry& entry) {
    const std::optional<struct stat> st = lstat_at(directory_.get(), name_);
    if (!st) return;
    if (S_ISDIR(st->st_mode) && entry.type == store::EntryType::directory)
      return;
    remove_tree_at(directory_.get(), name_);
  }

  void make(store::TarReader& reader, const store::IndexEntry& entry) {
    using store::EntryType;
    const int at = directory_.get();
    switch (entry.type) {
      case EntryType::directory:
        if (::mkdirat(at, name_.c_str(), 0700) == -1 && errno != EEXIST)
          throw_system_error("mkdir", "/" + path_);
        return;
      case EntryType::file:
        write_file(reader, entry);
        return;
      case EntryType::symlink:
        check(::symlinkat(entry.target.c_str(), at, name_.c_str()), "symlink",
              "/" + path_);
        return;
      case EntryType::hardlink:
        make_link(entry);
        return;
      case EntryType::character_device:
      case EntryType::block_device: {
        const store::HeldBack::Device device{entry.type, entry.dev_major,
                                             entry.dev_minor};
        if (!store::make_device_at(at, name_, device, "/" + path_))
          held_[path_].device = device;
        return;
      }
      case EntryType::fifo:
        check(::mkfifoat(at, name_.c_str(), 0600), "mkfifo", "/" + path_);
        return;
      case EntryType::socket:
      case EntryType::whiteout:
        throw Error("/" + path_ + ": unhandled tar header type");
    }
  }

  void write_file(store::TarReader& reader, const store::IndexEntry& entry) {
    Fd out = openat_path(directory_.get(), name_,
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    check(::ftruncate(out.get(), static_cast<off_t>(entry.size)), "write",
          "/" + path_);
    std::string_view data;
    std::uint64_t offset = 0;
    while (reader.read_block(data, offset)) {
      check(::lseek(out.get(), static_cast<off_t>(offset), SEEK_SET), "seek in",
            "/" + path_);
      write_all(out.get(), data, "/" + path_);
    }
    out.close();
  }

  // The target is a name in the archive's own root; a link there is linked and
  // not followed.
  void make_link(const store::IndexEntry& entry) {
    const std::string target = clean_path("/" + entry.target).substr(1);
    const Fd holder =
        open_in_root(root_, parent_path(target), O_PATH | O_DIRECTORY);
    check(::linkat(holder.get(), last_component(target).c_str(),
                   directory_.get(), name_.c_str(), 0),
          "link", "/" + target + " to /" + path_);
  }

  // A hard link's header goes for the file that it shares.
  void set_metadata(const store::IndexEntry& entry) {
    const int at = directory_.get();
    const FileOwner owner = owner_.value_or(FileOwner{entry.uid, entry.gid});
    if (!store::give_at(at, name_, owner.uid, owner.gid, "/" + path_))
      held_[path_].owner = {owner.uid, owner.gid};
    const std::optional<struct stat> st = lstat_at(at, name_);
    if (st && !S_ISLNK(st->st_mode)) {
      check(::fchmodat(at, name_.c_str(), entry.mode, 0), "chmod", "/" + path_);
      set_xattrs(entry);
    }
    const timespec time = time_of(entry);
    const timespec times[2] = {time, time};
    check(::utimensat(at, name_.c_str(), times, AT_SYMLINK_NOFOLLOW),
          "set the time of", "/" + path_);
  }

  void set_xattrs(const store::IndexEntry& entry) {
    Xattrs kept;
    for (const auto& [name, value] : entry.xattrs)
      if (copied_xattr(name))
        kept.emplace(
            name, name == kFileCapability ? portable_capability(value) : value);
    if (kept.empty()) return;
    const Fd file = openat_path(directory_.get(), name_,
                                O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (const auto capability = kept.extract("security.capability");
        capability &&
        !store::set_capability(file.get(), capability.mapped(), "/" + path_))
      held_[path_].capability = capability.mapped();
    write_xattrs(file.get(), kept, "/" + path_);
  }

  // Times before 1970 count as its first second.
  timespec time_of(const store::IndexEntry& entry) const {
    timespec time = {};
    if (entry.mtime_seconds < 0) return time;
    time.tv_sec = entry.mtime_seconds;
    time.tv_nsec = entry.mtime_nanoseconds;
    if (latest_ && time.tv_sec >= *latest_) time = {*latest_, 0};
    return time;
  }

  int root_;
  std::optional<FileOwner> owner_;
  std::optional<std::int64_t> latest_;
  std::vector<std::pair<std::string, store::IndexEntry>> directories_;
  store::HeldBackPaths held_;
  // Of the member in hand.
  std::string path_;
  std::string name_;
  Fd directory_;
};

}  // namespace

bool is_archive(int file) {
  check(::lseek(file, 0, SEEK_SET), "seek in", "archive");
  std::string start(kHeaderSize, '\0');
  std::size_t size = 0;
  while (size < start.size()) {
    const std::size_t n =
        read_some(file, start.data() + size, start.size() - size, "archive");
    if (n == 0) break;
    size += n;
  }
  start.resize(size);
  if (!looks_compressed(start)) return looks_like_header(start);
  try {
    return store::TarReader(whole(file), true).next().has_value();
  } catch (const SystemError&) {
    throw;
  } catch (const Error&) {
    return false;  // compressed, but no tar
  }
}

bool starts_like_archive(std::string_view start) {
  return looks_compressed(start) || looks_like_header(start);
}

std::optional<std::int64_t> unpack_stream(
    store::ByteSource source, int destination,
    const std::optional<FileOwner>& owner,
    const std::optional<std::int64_t>& latest) {
  store::TarReader reader(std::move(source), true);
  Unpacker unpacker(destination, owner, latest);
  std::optional<std::int64_t> newest;
  while (const std::optional<store::IndexEntry> entry = next_member(reader)) {
    note_time(*entry, newest);
    unpacker.add(reader, *entry);
  }
  unpacker.finish();
  return newest;
}

std::optional<std::int64_t> newest_time(store::ByteSource source) {
  std::optional<std::int64_t> newest;
  try {
    store::TarReader reader(std::move(source), true);
    while (const std::optional<store::IndexEntry> entry = reader.next())
      note_time(*entry, newest);
  } catch (const SystemError&) {
    throw;
  } catch (const Error&) {
    return std::nullopt;
  }
  return newest;
}

store::HeldBackPaths unpack_archive(int file, int destination,
                                    const std::optional<FileOwner>& owner,
                                    const std::optional<std::int64_t>& latest) {
  store::TarReader reader(whole(file), true);
  Unpacker unpacker(destination, owner, latest);
  while (const std::optional<store::IndexEntry> entry = next_member(reader))
    unpacker.add(reader, *entry);
  return unpacker.finish();
}

}  // namespace cbuild::builder
