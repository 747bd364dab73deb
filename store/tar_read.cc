#include <sys/stat.h>

#include <functional>

#include "base/error.h"
#include "store/compress.h"
#include "store/tar.h"
#include "store/tar_library.h"
#include "store/xattrs.h"

namespace cbuild::store {
namespace {

// What libarchive reads from.
struct Input {
  ByteSource source;
  std::string buffer = std::string(kStreamBuffer, '\0');
  Parked parked;
};

la_ssize_t on_read(archive* a, void* opaque, const void** out) noexcept {
  Input& input = *static_cast<Input*>(opaque);
  try {
    *out = input.buffer.data();
    return static_cast<la_ssize_t>(
        input.source(input.buffer.data(), input.buffer.size()));
  } catch (...) {
    input.parked.failure = std::current_exception();
    archive_library().archive_set_error(a, EIO, "read failed");
    return ARCHIVE_FATAL;
  }
}

struct FreeReader {
  void operator()(archive* a) const { archive_library().archive_read_free(a); }
};
using Reader = std::unique_ptr<archive, FreeReader>;

struct FreeEntry {
  void operator()(archive_entry* e) const {
    archive_library().archive_entry_free(e);
  }
};
using Entry = std::unique_ptr<archive_entry, FreeEntry>;

void support_filters(archive* a) {
  const ArchiveLibrary& lib = archive_library();
  lib.archive_read_support_filter_gzip(a);
  lib.archive_read_support_filter_bzip2(a);
  lib.archive_read_support_filter_xz(a);
  lib.archive_read_support_filter_zstd(a);
}

constexpr std::size_t kMagicSize = 6;

int filter_of(std::string_view start) {
  using namespace std::string_view_literals;
  const Compression compression = sniff(start);
  if (compression == Compression::gzip) return ARCHIVE_FILTER_GZIP;
  if (compression == Compression::zstd) return ARCHIVE_FILTER_ZSTD;
  if (start.starts_with("BZh")) return ARCHIVE_FILTER_BZIP2;
  if (start.starts_with("\xfd\x37zXZ\0"sv)) return ARCHIVE_FILTER_XZ;
  throw Error("compressed data: no gzip, bzip2, xz or zstd");
}

void open(archive* a, Input& input) {
  const int code = archive_library().archive_read_open2(
      a, &input, nullptr, on_read, nullptr, nullptr);
  input.parked.rethrow();
  if (code != ARCHIVE_OK) throw Error("archive: " + archive_problem(a));
}

EntryType type_of(unsigned filetype, const std::string& name) {
  switch (filetype) {
    case AE_IFREG:
      return EntryType::file;
    case AE_IFDIR:
      return EntryType::directory;
    case AE_IFLNK:
      return EntryType::symlink;
    case AE_IFCHR:
      return EntryType::character_device;
    case AE_IFBLK:
      return EntryType::block_device;
    case AE_IFIFO:
      return EntryType::fifo;
    case AE_IFSOCK:
      return EntryType::socket;
    default:
      throw Error(name + ": an entry of unknown type");
  }
}

std::string text_or_empty(const char* text) {
  return text == nullptr ? "" : text;
}

void read_xattrs(archive_entry* from, IndexEntry& to) {
  const ArchiveLibrary& lib = archive_library();
  lib.archive_entry_xattr_reset(from);
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  while (lib.archive_entry_xattr_next(from, &name, &value, &size) == ARCHIVE_OK)
    to.xattrs[name] = std::string(static_cast<const char*>(value), size);
  const auto capability = to.xattrs.find("security.capability");
  if (capability != to.xattrs.end())
    capability->second = plain_capability(std::move(capability->second));
}

IndexEntry convert(archive_entry* from) {
  const ArchiveLibrary& lib = archive_library();
  IndexEntry to;
  to.path = text_or_empty(lib.archive_entry_pathname(from));
  const char* hardlink = lib.archive_entry_hardlink(from);
  to.type = hardlink != nullptr
                ? EntryType::hardlink
                : type_of(lib.archive_entry_filetype(from), to.path);
  to.mode = lib.archive_entry_perm(from) & 07777;
  to.uid = static_cast<std::uint32_t>(lib.archive_entry_uid(from));
  to.gid = static_cast<std::uint32_t>(lib.archive_entry_gid(from));
  to.mtime_seconds = lib.archive_entry_mtime(from);
  to.mtime_nanoseconds =
      static_cast<std::uint32_t>(lib.archive_entry_mtime_nsec(from));
  if (to.type == EntryType::file)
    to.size = static_cast<std::uint64_t>(lib.archive_entry_size(from));
  if (to.type == EntryType::character_device ||
      to.type == EntryType::block_device) {
    to.dev_major =
        static_cast<std::uint32_t>(lib.archive_entry_rdevmajor(from));
    to.dev_minor =
        static_cast<std::uint32_t>(lib.archive_entry_rdevminor(from));
  }
  to.target = hardlink != nullptr
                  ? hardlink
                  : text_or_empty(lib.archive_entry_symlink(from));
  read_xattrs(from, to);
  return to;
}

// The only harmless warning: a name that is no UTF-8, which is then given as
// the bytes it is. Others mean that something was left out.
bool harmless(const std::string& warning) {
  return warning.find("can't be converted") != std::string::npos;
}

}  // namespace

struct TarReader::State {
  Input input;
  Reader reader;
  Entry entry;
  std::string name;  // of the current entry, for errors

  [[noreturn]] void fail() {
    input.parked.rethrow();
    throw Error("tar" + (name.empty() ? "" : ": after " + name) + ": " +
                archive_problem(reader.get()));
  }
};

TarReader::TarReader(ByteSource source, bool decompress)
    : state_(std::make_unique<State>()) {
  const Utf8Names names;
  const ArchiveLibrary& lib = archive_library();
  State& s = *state_;
  // The fast decompressors first; libarchive then sees a plain tar.
  s.input.source = decompress ? decompressed(std::move(source)) : source;
  s.reader.reset(lib.archive_read_new());
  s.entry.reset(lib.archive_entry_new());
  if (!s.reader || !s.entry) throw Error("out of memory for an archive");
  lib.archive_read_support_format_tar(s.reader.get());
  lib.archive_read_support_format_empty(s.reader.get());
  if (decompress) support_filters(s.reader.get());
  open(s.reader.get(), s.input);
}

TarReader::~TarReader() = default;

std::optional<IndexEntry> TarReader::next() {
  const Utf8Names names;
  State& s = *state_;
  const int code = archive_library().archive_read_next_header2(s.reader.get(),
                                                               s.entry.get());
  if (code == ARCHIVE_EOF) return std::nullopt;
  if (code < ARCHIVE_WARN ||
      (code != ARCHIVE_OK && !harmless(archive_problem(s.reader.get()))))
    s.fail();
  IndexEntry entry = convert(s.entry.get());
  s.name = entry.path;
  return entry;
}

std::size_t TarReader::read(char* buffer, std::size_t size) {
  const la_ssize_t n =
      archive_library().archive_read_data(state_->reader.get(), buffer, size);
  if (n < 0) state_->fail();
  return static_cast<std::size_t>(n);
}

bool TarReader::read_block(std::string_view& data, std::uint64_t& offset) {
  const void* block = nullptr;
  std::size_t size = 0;
  la_int64_t position = 0;
  const int code = archive_library().archive_read_data_block(
      state_->reader.get(), &block, &size, &position);
  if (code == ARCHIVE_EOF) return false;
  if (code != ARCHIVE_OK) state_->fail();
  data = {static_cast<const char*>(block), size};
  offset = static_cast<std::uint64_t>(position);
  return true;
}

ByteSource filtered(ByteSource source) {
  struct Raw {
    Input input;
    Reader reader;
  };
  const Utf8Names names;
  const ArchiveLibrary& lib = archive_library();
  std::string start(kMagicSize, '\0');
  start.resize(read_full(source, start.data(), start.size()));
  const int filter = filter_of(start);
  auto raw = std::make_shared<Raw>();
  raw->input.source = prefixed(std::move(start), std::move(source));
  raw->reader.reset(lib.archive_read_new());
  if (!raw->reader) throw Error("out of memory for an archive");
  lib.archive_read_support_format_raw(raw->reader.get());
  // Given, and not looked for: libarchive would look inside again.
  if (lib.archive_read_append_filter(raw->reader.get(), filter) != ARCHIVE_OK)
    throw Error("compressed data: " + archive_problem(raw->reader.get()));
  open(raw->reader.get(), raw->input);
  const Entry entry(lib.archive_entry_new());
  const auto check = [](Raw& r, la_ssize_t code) {
    if (code >= 0) return;
    r.input.parked.rethrow();
    throw Error("compressed data: " + archive_problem(r.reader.get()));
  };
  check(*raw, lib.archive_read_next_header2(raw->reader.get(), entry.get()));
  return [raw, check](char* buffer, std::size_t size) {
    const la_ssize_t n =
        archive_library().archive_read_data(raw->reader.get(), buffer, size);
    check(*raw, n);
    return static_cast<std::size_t>(n);
  };
}

}  // namespace cbuild::store
