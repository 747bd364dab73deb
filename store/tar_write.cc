#include <algorithm>
#include <functional>

#include "base/error.h"
#include "base/text.h"
#include "store/tar.h"
#include "store/tar_library.h"

namespace cbuild::store {
namespace {

struct Output {
  ByteSink sink;
  Parked parked;
};

la_ssize_t on_write(archive* a, void* opaque, const void* data,
                    std::size_t size) noexcept {
  Output& output = *static_cast<Output*>(opaque);
  try {
    output.sink({static_cast<const char*>(data), size});
    return static_cast<la_ssize_t>(size);
  } catch (...) {
    output.parked.failure = std::current_exception();
    archive_library().archive_set_error(a, EIO, "write failed");
    return -1;
  }
}

struct FreeWriter {
  void operator()(archive* a) const { archive_library().archive_write_free(a); }
};

struct FreeEntry {
  void operator()(archive_entry* e) const {
    archive_library().archive_entry_free(e);
  }
};

unsigned filetype_of(EntryType type) {
  switch (type) {
    case EntryType::directory:
      return AE_IFDIR;
    case EntryType::symlink:
      return AE_IFLNK;
    case EntryType::character_device:
      return AE_IFCHR;
    case EntryType::block_device:
      return AE_IFBLK;
    case EntryType::fifo:
      return AE_IFIFO;
    case EntryType::socket:
      return AE_IFSOCK;
    case EntryType::file:
    case EntryType::hardlink:
    case EntryType::whiteout:
      break;
  }
  return AE_IFREG;
}

std::string marker_in(std::string_view directory, const std::string& name) {
  return directory.empty() ? name : std::string(directory) + "/" + name;
}

// The empty file that says that `path` is gone. Its owner, mode and time say
// nothing, so they are always the same.
IndexEntry whiteout_file(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  IndexEntry marker;
  marker.path =
      slash == std::string::npos
          ? ".wh." + path
          : marker_in(path.substr(0, slash), ".wh." + path.substr(slash + 1));
  return marker;
}

// libarchive writes such a name in %-escapes that no other reader undoes, and
// "=" ends the name of a PAX record.
void check_xattr_name(const IndexEntry& entry, const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return c > 32 && c < 127 && c != '%' && c != '=';
  });
  if (!plain)
    throw Error(entry.path + ": the name of the extended attribute " +
                go_quote(name) + " cannot be kept in a tar");
}

}  // namespace

struct TarWriter::State {
  Output output;
  std::unique_ptr<archive, FreeWriter> writer;
  std::unique_ptr<archive_entry, FreeEntry> entry;
  std::string name;

  void check(la_ssize_t code) {
    // A warning is a name that is no UTF-8: it is written as bytes, and the
    // header says so.
    if (code >= ARCHIVE_WARN) return;
    output.parked.rethrow();
    throw Error("tar: " + name + ": " + archive_problem(writer.get()));
  }

  void fill(const IndexEntry& from) const {
    const ArchiveLibrary& lib = archive_library();
    archive_entry* to = entry.get();
    lib.archive_entry_clear(to);
    lib.archive_entry_set_pathname(to, from.path.c_str());
    lib.archive_entry_set_filetype(to, filetype_of(from.type));
    lib.archive_entry_set_perm(to, static_cast<mode_t>(from.mode & 07777));
    lib.archive_entry_set_uid(to, from.uid);
    lib.archive_entry_set_gid(to, from.gid);
    lib.archive_entry_set_mtime(to, from.mtime_seconds,
                                static_cast<long>(from.mtime_nanoseconds));
    lib.archive_entry_set_size(to, from.type == EntryType::file
                                       ? static_cast<la_int64_t>(from.size)
                                       : 0);
    if (from.type == EntryType::hardlink)
      lib.archive_entry_set_hardlink(to, from.target.c_str());
    if (from.type == EntryType::symlink)
      lib.archive_entry_set_symlink(to, from.target.c_str());
    if (from.type == EntryType::character_device ||
        from.type == EntryType::block_device) {
      lib.archive_entry_set_rdevmajor(to, from.dev_major);
      lib.archive_entry_set_rdevminor(to, from.dev_minor);
    }
    // libarchive puts the last one first.
    for (auto it = from.xattrs.rbegin(); it != from.xattrs.rend(); ++it) {
      check_xattr_name(from, it->first);
      lib.archive_entry_xattr_add_entry(to, it->first.c_str(),
                                        it->second.data(), it->second.size());
    }
  }
};

TarWriter::TarWriter(ByteSink sink) : state_(std::make_unique<State>()) {
  const ArchiveLibrary& lib = archive_library();
  State& s = *state_;
  s.output.sink = std::move(sink);
  s.writer.reset(lib.archive_write_new());
  s.entry.reset(lib.archive_entry_new());
  if (!s.writer || !s.entry) throw Error("out of memory for an archive");
  archive* a = s.writer.get();
  s.check(lib.archive_write_set_format_pax(a));
  s.check(
      lib.archive_write_set_format_option(a, "pax", "xattrheader", "SCHILY"));
  // No blocking: what is written reaches the sink without another copy, and the
  // end is not padded to a tape's record.
  s.check(lib.archive_write_set_bytes_per_block(a, 0));
  s.check(lib.archive_write_open(a, &s.output, nullptr, on_write, nullptr));
}

TarWriter::~TarWriter() {
  // Ending the archive is no business of an error's way out.
  if (state_->writer) state_->output.sink = [](std::string_view) {};
}

void TarWriter::add(const IndexEntry& entry) {
  if (entry.type == EntryType::socket) return;
  if (entry.type == EntryType::whiteout) {
    add(whiteout_file(entry.path));
    return;
  }
  State& s = *state_;
  {
    const Utf8Names names;
    s.name = entry.path;
    s.fill(entry);
    s.check(
        archive_library().archive_write_header(s.writer.get(), s.entry.get()));
  }
  if (entry.opaque && entry.type == EntryType::directory) {
    IndexEntry marker;
    marker.path = marker_in(entry.path, ".wh..wh..opq");
    add(marker);
  }
}

void TarWriter::write(std::string_view data) {
  while (!data.empty()) {
    const la_ssize_t n = archive_library().archive_write_data(
        state_->writer.get(), data.data(), data.size());
    state_->check(n);
    if (n == 0) throw Error("tar: " + state_->name + ": is longer than it was");
    data.remove_prefix(static_cast<std::size_t>(n));
  }
}

void TarWriter::finish() {
  state_->check(archive_library().archive_write_close(state_->writer.get()));
}

}  // namespace cbuild::store
