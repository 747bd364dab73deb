#include "builder/unpack_archive.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/dir.h"
#include "base/file_capability.h"
#include "base/log.h"
#include "base/text.h"
#include "builder/copy_xattrs.h"
#include "store/compress.h"
#include "store/strict_tar.h"
#include "store/tar.h"

namespace cbuild::builder {
namespace {

constexpr std::size_t kMagicSize = 8;  // bytes that tell a compression

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

// The tar in it, decompressed once, checked as it passes.
store::ByteSource plain(store::ByteSource source) {
  std::string start(kMagicSize, '\0');
  start.resize(store::read_full(source, start.data(), start.size()));
  const bool compressed = looks_compressed(start);
  const bool quick = store::sniff(start) != store::Compression::none;
  source = store::prefixed(std::move(start), std::move(source));
  if (!compressed) return source;
  return quick ? store::decompressed(std::move(source))
               : store::filtered(std::move(source));
}

store::TarReader reader_of(store::ByteSource source) {
  return store::TarReader(store::checked_tar(plain(std::move(source))), false);
}

// The check sum of compressed data comes behind the tar. BuildKit does not look
// at it.
void warn_of_rest(const store::ByteSource& rest, const std::string& name) {
  std::string buffer(store::kStreamBuffer, '\0');
  try {
    while (rest(buffer.data(), buffer.size()) > 0) continue;
  } catch (const SystemError&) {
    throw;
  } catch (const Error& e) {
    warn(name + " was unpacked, but " + e.what());
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
      // A later member may have taken the directory's place, or a link.
      const std::optional<Fd> there = try_open_in_root(root_, path, O_PATH);
      if (!there) continue;
      const timespec time = time_of(entry);
      const timespec times[2] = {time, time};
      check(::utimensat(there->get(), "", times, AT_EMPTY_PATH),
            "set the time of", "/" + path);
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

  // Times before 1970, or beyond what 64 bits of nanoseconds hold, count as
  // the first second.
  timespec time_of(const store::IndexEntry& entry) const {
    constexpr std::int64_t kLast =
        std::numeric_limits<std::int64_t>::max() / 1'000'000'000;
    timespec time = {};
    if (entry.mtime_seconds < 0 || entry.mtime_seconds >= kLast) return time;
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
  try {
    return store::begins_tar(plain(whole(file)));
  } catch (const SystemError&) {
    throw;
  } catch (const Error&) {
    return false;  // compressed, it seemed
  }
}

bool starts_like_archive(std::string_view start) {
  if (looks_compressed(start)) return true;
  return store::begins_tar(store::prefixed(
      std::string(start), [](char*, std::size_t) -> std::size_t { return 0; }));
}

std::optional<std::int64_t> unpack_stream(
    store::ByteSource source, int destination,
    const std::optional<FileOwner>& owner,
    const std::optional<std::int64_t>& latest) {
  store::TarReader reader = reader_of(std::move(source));
  Unpacker unpacker(destination, owner, latest);
  std::optional<std::int64_t> newest;
  while (const std::optional<store::IndexEntry> entry = reader.next()) {
    note_time(*entry, newest);
    unpacker.add(reader, *entry);
  }
  unpacker.finish();
  return newest;
}

std::optional<std::int64_t> newest_time(store::ByteSource source) {
  std::optional<std::int64_t> newest;
  try {
    store::TarReader reader = reader_of(std::move(source));
    while (const std::optional<store::IndexEntry> entry = reader.next())
      note_time(*entry, newest);
  } catch (const SystemError&) {
    throw;
  } catch (const Error&) {
    return std::nullopt;
  }
  return newest;
}

store::HeldBackPaths unpack_archive(int file, const std::string& name,
                                    int destination,
                                    const std::optional<FileOwner>& owner,
                                    const std::optional<std::int64_t>& latest) {
  const auto bytes = std::make_shared<store::ByteSource>(plain(whole(file)));
  store::TarReader reader(
      store::checked_tar([bytes](char* buffer, std::size_t size) {
        return (*bytes)(buffer, size);
      }),
      false);
  Unpacker unpacker(destination, owner, latest);
  while (const std::optional<store::IndexEntry> entry = reader.next())
    unpacker.add(reader, *entry);
  warn_of_rest(*bytes, name);
  return unpacker.finish();
}

}  // namespace cbuild::builder
