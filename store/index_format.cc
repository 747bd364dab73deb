#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/fd.h"
#include "store/compress.h"
#include "store/index_stream.h"
#include "store/stream.h"

// The file of a layer index:
//
//   file     = magic (8 bytes, the last is the version)
//              CRC-32 of what follows (4 bytes, lowest first)
//              varint number of entries, entry*
//   entry    = varint bytes shared with the path before, text rest of the path
//              byte type | flags
//              varint mode, uid, gid, zigzag seconds, varint nanoseconds
//              file: varint size
//              device: varint major, varint minor
//              kTarget: text target
//              kXattrs: varint count, (text name, text value)*
//              kContent: 32 bytes SHA-256
//   text     = varint length, bytes
//   varint   = 7 bits per byte, lowest first, top bit: more follow
//
// The number of entries may be written longer than it need be: a file that is
// written as entries come learns it last, and keeps five bytes for it.
//
// Sharing prefixes halves the file; everything is read in one pass forward.

namespace cbuild::store {
namespace {

constexpr std::string_view kMagic("cbuildx\x02", 8);
constexpr std::size_t kHeader = 12;
constexpr std::size_t kCountRoom = 5;
constexpr std::size_t kFlushAt = kStreamBuffer;

constexpr unsigned kTypeMask = 0x0f;
constexpr unsigned kOpaque = 0x10;
constexpr unsigned kTarget = 0x20;
constexpr unsigned kXattrs = 0x40;
constexpr unsigned kContent = 0x80;

bool is_device(EntryType type) {
  return type == EntryType::character_device || type == EntryType::block_device;
}

class Writer {
 public:
  void byte(unsigned value) { out_ += static_cast<char>(value); }
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      byte(static_cast<unsigned>(value & 0x7f) | 0x80);
    byte(static_cast<unsigned>(value));
  }
  void bytes(std::string_view data) { out_ += data; }
  void text(std::string_view data) {
    number(data.size());
    bytes(data);
  }
  void entry(const IndexEntry& entry, std::string_view previous);
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

void Writer::entry(const IndexEntry& e, std::string_view previous) {
  const std::size_t shared =
      static_cast<std::size_t>(std::mismatch(e.path.begin(), e.path.end(),
                                             previous.begin(), previous.end())
                                   .first -
                               e.path.begin());
  number(shared);
  text(std::string_view(e.path).substr(shared));
  byte(static_cast<unsigned>(e.type) | (e.opaque ? kOpaque : 0) |
       (e.target.empty() ? 0 : kTarget) | (e.xattrs.empty() ? 0 : kXattrs) |
       (e.content ? kContent : 0));
  number(e.mode);
  number(e.uid);
  number(e.gid);
  const auto seconds = static_cast<std::uint64_t>(e.mtime_seconds);
  number(seconds << 1 ^ (e.mtime_seconds < 0 ? ~std::uint64_t{0} : 0));
  number(e.mtime_nanoseconds);
  if (e.type == EntryType::file) number(e.size);
  if (is_device(e.type)) {
    number(e.dev_major);
    number(e.dev_minor);
  }
  if (!e.target.empty()) text(e.target);
  if (!e.xattrs.empty()) {
    number(e.xattrs.size());
    for (const auto& [name, value] : e.xattrs) {
      text(name);
      text(value);
    }
  }
  if (e.content) bytes(e.content->raw());
}

// After the first value that does not fit, everything reads as zero and ok()
// is false: one check per entry is enough.
class Cursor {
 public:
  explicit Cursor(std::string_view data) : left_(data) {}

  bool ok() const { return ok_; }
  std::string_view left() const { return left_; }

  unsigned byte() {
    if (left_.empty()) ok_ = false;
    if (!ok_) return 0;
    const auto value = static_cast<unsigned char>(left_.front());
    left_.remove_prefix(1);
    return value;
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const unsigned next = byte();
      value |= static_cast<std::uint64_t>(next & 0x7f) << shift;
      if (next < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }
  std::uint32_t small() { return static_cast<std::uint32_t>(number()); }
  std::string_view bytes(std::uint64_t size) {
    if (size > left_.size()) ok_ = false;
    if (!ok_) return {};
    const std::string_view data = left_.substr(0, size);
    left_.remove_prefix(size);
    return data;
  }
  std::string_view text() { return bytes(number()); }
  void entry(IndexEntry& e, std::string_view previous);

 private:
  std::string_view left_;
  bool ok_ = true;
};

void Cursor::entry(IndexEntry& e, std::string_view previous) {
  const std::uint64_t shared = number();
  const std::string_view rest = text();
  if (shared > previous.size()) ok_ = false;
  if (!ok_) return;
  e.path.reserve(shared + rest.size());
  e.path.append(previous.substr(0, shared)).append(rest);
  const unsigned flags = byte();
  if ((flags & kTypeMask) > static_cast<unsigned>(EntryType::whiteout))
    ok_ = false;
  e.type = static_cast<EntryType>(flags & kTypeMask);
  e.opaque = flags & kOpaque;
  e.mode = small();
  e.uid = small();
  e.gid = small();
  const std::uint64_t zigzag = number();
  e.mtime_seconds = static_cast<std::int64_t>(
      zigzag >> 1 ^ (zigzag & 1 ? ~std::uint64_t{0} : 0));
  e.mtime_nanoseconds = small();
  if (e.type == EntryType::file) e.size = number();
  if (is_device(e.type)) {
    e.dev_major = small();
    e.dev_minor = small();
  }
  if (flags & kTarget) e.target = text();
  if (flags & kXattrs) {
    for (std::uint64_t n = number(); n > 0 && ok_; --n) {
      const std::string_view name = text();
      e.xattrs.emplace(name, text());
    }
  }
  if (flags & kContent) {
    const std::string_view raw = bytes(32);
    if (ok_) e.content = Digest::from_raw(raw);
  }
}

std::string crc_bytes(std::uint32_t crc) {
  std::string out;
  for (int shift = 0; shift < 32; shift += 8)
    out += static_cast<char>(crc >> shift & 0xff);
  return out;
}

// The number of entries in all of its room.
std::string padded_count(std::uint64_t count) {
  std::string out;
  for (std::size_t i = 0; i < kCountRoom; ++i, count >>= 7)
    out += static_cast<char>((count & 0x7f) | (i + 1 < kCountRoom ? 0x80 : 0));
  if (count != 0) throw Error("a layer of more than 34359738367 files");
  return out;
}

void pwrite_all(int fd, std::string_view data, std::uint64_t at,
                const std::string& name) {
  while (!data.empty()) {
    const ssize_t n =
        ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(at));
    if (n == -1 && errno == EINTR) continue;
    data.remove_prefix(static_cast<std::size_t>(check(n, "write", name)));
    at += static_cast<std::uint64_t>(n);
  }
}

}  // namespace

std::string serialize(const LayerIndex& index) {
  Writer body;
  body.number(index.entries.size());
  std::string_view previous;
  for (const IndexEntry& entry : index.entries) {
    body.entry(entry, previous);
    previous = entry.path;
  }
  const std::string data = body.take();
  return std::string(kMagic) + crc_bytes(crc32(data)) + data;
}

IndexWriter::IndexWriter(int file, std::string name)
    : file_(file), name_(std::move(name)) {}

void IndexWriter::add(const IndexEntry& entry) {
  Writer one;
  one.entry(entry, previous_);
  buffer_ += one.take();
  previous_ = entry.path;
  ++count_;
  if (buffer_.size() >= kFlushAt) flush();
}

void IndexWriter::flush() {
  pwrite_all(file_, buffer_, kHeader + kCountRoom + written_, name_);
  written_ += buffer_.size();
  buffer_.clear();
}

// Of the count and the entries, which are read back: the count is known last
// but hashed first.
std::uint32_t IndexWriter::checksum(std::string_view count) const {
  std::uint32_t crc = crc32(count);
  const auto block = std::make_unique_for_overwrite<char[]>(kStreamBuffer);
  const std::uint64_t begin = kHeader + kCountRoom;
  for (std::uint64_t at = 0; at < written_;) {
    const auto want = static_cast<std::size_t>(
        std::min<std::uint64_t>(written_ - at, kStreamBuffer));
    const ssize_t n =
        ::pread(file_, block.get(), want, static_cast<off_t>(begin + at));
    if (n == -1 && errno == EINTR) continue;
    if (check(n, "read", name_) == 0) throw Error(name_ + " was cut short");
    crc = crc32({block.get(), static_cast<std::size_t>(n)}, crc);
    at += static_cast<std::uint64_t>(n);
  }
  return crc;
}

void IndexWriter::finish() {
  if (written_ == 0) {  // most layers: one write, as serialize() has it
    Writer count;
    count.number(count_);
    const std::string body = count.take() + buffer_;
    write_all(file_, std::string(kMagic) + crc_bytes(crc32(body)) + body,
              name_);
    return;
  }
  const std::string count = padded_count(count_);
  flush();
  const std::string sum = crc_bytes(checksum(count));
  pwrite_all(file_, std::string(kMagic) + sum + count, 0, name_);
}

std::optional<IndexReader> IndexReader::open(std::string_view data) {
  if (data.size() < kHeader || !data.starts_with(kMagic)) return std::nullopt;
  const std::string_view body = data.substr(kHeader);
  if (data.substr(kMagic.size(), 4) != crc_bytes(crc32(body)))
    return std::nullopt;
  Cursor cursor(body);
  const std::uint64_t count = cursor.number();
  // An entry has at least nine bytes; do not let a wrong count allocate.
  if (!cursor.ok() || count > body.size()) return std::nullopt;
  return IndexReader(cursor.left(), count);
}

std::optional<IndexEntry> IndexReader::next() {
  if (left_ == 0) return std::nullopt;
  Cursor cursor(rest_);
  IndexEntry entry;
  cursor.entry(entry, previous_);
  if (!cursor.ok()) return std::nullopt;
  rest_ = cursor.left();
  previous_ = entry.path;
  --left_;
  return entry;
}

void each_entry(std::string_view data, const EntrySink& take) {
  std::optional<IndexReader> reader = IndexReader::open(data);
  if (reader)
    while (std::optional<IndexEntry> entry = reader->next())
      take(std::move(*entry));
  if (!reader || !reader->at_end()) throw Error("the layer's index is damaged");
}

std::optional<LayerIndex> deserialize(std::string_view data) {
  std::optional<IndexReader> reader = IndexReader::open(data);
  if (!reader) return std::nullopt;
  LayerIndex index;
  index.entries.reserve(reader->left());
  while (std::optional<IndexEntry> entry = reader->next())
    index.entries.push_back(std::move(*entry));
  if (!reader->at_end()) return std::nullopt;
  return index;
}

}  // namespace cbuild::store
