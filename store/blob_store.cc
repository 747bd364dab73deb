#include "store/blob_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/dir.h"
#include "base/writeback.h"
#include "store/damage.h"
#include "store/stream.h"

namespace cbuild::store {
namespace {

std::string name_of(const Digest& digest) { return "blobs/" + digest.hex(); }

}  // namespace

DigestMismatch::DigestMismatch(const Digest& want, const Digest& got)
    : Error("content has digest " + got.text() + ", expected " + want.text()) {}

BlobWriter::BlobWriter(std::string blobs, std::shared_ptr<Staging> staging,
                       std::shared_ptr<Leases> leases)
    : blobs_(std::move(blobs)),
      staging_(std::move(staging)),
      leases_(std::move(leases)),
      staged_(staging_->fresh()),
      out_(open_path(staged_, O_WRONLY | O_CREAT | O_EXCL, 0644)) {}

BlobWriter::BlobWriter(BlobWriter&& other) noexcept
    : blobs_(std::move(other.blobs_)),
      staging_(std::move(other.staging_)),
      leases_(std::move(other.leases_)),
      staged_(std::exchange(other.staged_, {})),
      out_(std::move(other.out_)),
      hasher_(std::move(other.hasher_)),
      digest_(other.digest_),
      written_(other.written_),
      written_back_(other.written_back_) {}

BlobWriter::~BlobWriter() {
  if (!staged_.empty()) ::unlink(staged_.c_str());
}

void BlobWriter::write(std::string_view data) {
  write_all(out_.get(), data, staged_);
  hasher_.update(data);
  written_ += data.size();
  written_back_ = start_writeback(out_.get(), written_back_, written_);
}

Digest BlobWriter::finish() {
  if (!digest_) {
    out_.close();
    digest_ = hasher_.finish();
  }
  return *digest_;
}

Digest BlobWriter::commit(std::optional<Digest> expected) {
  const Digest digest = finish();
  if (expected && *expected != digest) throw DigestMismatch(*expected, digest);
  // The rename is the commit point: before it the blob does not exist. Where it
  // was there already, its bytes are the same.
  const std::string path = blobs_ + "/" + digest.hex();
  leases_->hold(name_of(digest));
  check(::rename(staged_.c_str(), path.c_str()), "rename", path);
  staged_.clear();
  return digest;
}

BlobStore::BlobStore(const std::string& root)
    : blobs_(root + "/blobs/sha256"),
      staging_(Staging::of(root)),
      leases_(Leases::of(root)) {
  ensure_layout(root);
}

Digest BlobStore::put(std::string_view data, std::optional<Digest> expected) {
  const Digest digest = sha256(data);
  if (expected && *expected != digest) throw DigestMismatch(*expected, digest);
  leases_->hold(name_of(digest));
  // A power cut can leave a published file short or full of zeros.
  if (read_file(path(digest)) == data) return digest;
  staging_->replace(path(digest), data);
  return digest;
}

BlobWriter BlobStore::writer() { return BlobWriter(blobs_, staging_, leases_); }

std::optional<Fd> BlobStore::open(const Digest& digest) const {
  return try_openat(AT_FDCWD, path(digest), O_RDONLY);
}

std::optional<std::string> BlobStore::read(const Digest& digest) const {
  std::optional<std::string> data = read_file(path(digest));
  if (!data || sha256(*data) == digest) return data;
  ::unlink(path(digest).c_str());
  report_damage("blob " + digest.short_text() + " is damaged: dropped");
  return std::nullopt;
}

bool BlobStore::verify(const Digest& digest) const {
  const std::optional<Fd> file = open(digest);
  if (!file) return false;
  const ByteSource source = file_source(file->get(), digest.text());
  std::string buffer(kStreamBuffer, '\0');
  Hasher hasher;
  while (const std::size_t n = source(buffer.data(), buffer.size()))
    hasher.update({buffer.data(), n});
  return hasher.finish() == digest;
}

std::optional<std::uint64_t> BlobStore::hold(const Digest& digest) const {
  leases_->hold(name_of(digest));
  return size(digest);
}

std::optional<std::uint64_t> BlobStore::size(const Digest& digest) const {
  const auto st = lstat_at(AT_FDCWD, path(digest));
  if (!st) return std::nullopt;
  return static_cast<std::uint64_t>(st->st_size);
}

void BlobStore::remove(const Digest& digest) {
  const std::string name = path(digest);
  if (::unlink(name.c_str()) == -1 && errno != ENOENT)
    throw_system_error("unlink", name);
}

std::vector<Digest> BlobStore::list() const {
  const Fd dir = open_path(blobs_, O_RDONLY | O_DIRECTORY);
  std::vector<Digest> found;
  for (const std::string& name : list_dir(dir.get()))
    if (const auto digest = Digest::try_parse("sha256:" + name))
      found.push_back(*digest);
  return found;
}

std::string BlobStore::path(const Digest& digest) const {
  return blobs_ + "/" + digest.hex();
}

}  // namespace cbuild::store
