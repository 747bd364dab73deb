#include "store/archive_members.h"

#include <fcntl.h>

#include <algorithm>

#include "base/dir.h"
#include "base/error.h"
#include "base/text.h"
#include "store/compress.h"
#include "store/read_ahead.h"
#include "store/tar.h"

namespace cbuild::store {
namespace {

// A config of this size is no config.
constexpr std::uint64_t kLargestDocument = std::uint64_t{64} << 20;

constexpr std::string_view kBlobs = "blobs/sha256/";

std::string clean(const std::string& name) {
  return clean_path("/" + name).substr(1);
}

}  // namespace

void Members::read(ByteSource archive) {
  TarReader tar(std::move(archive), true);
  while (const std::optional<IndexEntry> entry = tar.next()) {
    const std::string name = clean(entry->path);
    if (entry->type == EntryType::file) {
      stage(name, tar);
    } else if (entry->type == EntryType::hardlink) {
      links_[name] = clean(entry->target);
    } else if (entry->type == EntryType::symlink) {
      // Relative to the link's directory.
      const std::size_t slash = name.rfind('/');
      links_[name] =
          clean(slash == std::string::npos || entry->target.starts_with('/')
                    ? entry->target
                    : name.substr(0, slash) + "/" + entry->target);
    }
  }
}

void Members::stage(const std::string& name, TarReader& tar) {
  BlobWriter writer = blobs_.writer();
  std::string buffer(kStreamBuffer, '\0');
  std::string start;
  while (const std::size_t n = tar.read(buffer.data(), buffer.size())) {
    const std::string_view data = std::string_view(buffer).substr(0, n);
    if (start.size() < 4) start += data.substr(0, 4 - start.size());
    writer.write(data);
  }
  const Member member{writer.finish(), writer.written(), sniff(start),
                      writers_.size()};
  if (name.starts_with(kBlobs)) {
    const auto promised =
        Digest::try_parse("sha256:" + name.substr(kBlobs.size()));
    if (promised && *promised != member.digest)
      throw DigestMismatch(*promised, member.digest);
  }
  writers_.emplace_back(std::move(writer));
  files_.insert_or_assign(name, member);
  by_digest_[member.digest] = name;
}

const Member* Members::find(const std::string& name) const {
  std::string at = clean(name);
  for (int followed = 0; followed < 16; ++followed) {
    const auto file = files_.find(at);
    if (file != files_.end()) return &file->second;
    const auto link = links_.find(at);
    if (link == links_.end()) return nullptr;
    at = link->second;
  }
  return nullptr;
}

const Member& Members::named(const std::string& name) const {
  const Member* member = find(name);
  if (member == nullptr) throw Error("the archive lacks " + go_quote(name));
  return *member;
}

const Member* Members::blob(const Digest& digest) const {
  const auto name = by_digest_.find(digest);
  return name == by_digest_.end() ? nullptr : find(name->second);
}

std::string Members::text(const Member& member) const {
  if (member.size > kLargestDocument)
    throw Error("a document of " + human_size(member.size) +
                " in the archive is too large");
  const std::optional<BlobWriter>& writer = writers_.at(member.writer);
  const std::string path =
      writer ? writer->staged_path() : blobs_.path(member.digest);
  const Fd file = open_path(path, O_RDONLY);
  return read_all(file.get(), path);
}

Digest Members::diff_id(const Member& member) const {
  if (member.compression == Compression::none) return member.digest;
  const std::optional<BlobWriter>& writer = writers_.at(member.writer);
  const std::string path =
      writer ? writer->staged_path() : blobs_.path(member.digest);
  const Fd file = open_path(path, O_RDONLY);
  Hasher hasher;
  ReadAhead ahead(watched(decompressed(file_source(file.get(), path)),
                          [&](std::string_view data) { hasher.update(data); }));
  ahead.finish();
  return hasher.finish();
}

void Members::publish(const Digest& digest) {
  const Member* member = blob(digest);
  if (member == nullptr) return;
  std::optional<BlobWriter>& writer = writers_.at(member->writer);
  if (!writer) return;
  writer->commit(digest);
  writer.reset();
}

}  // namespace cbuild::store
