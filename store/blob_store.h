// The blob store: immutable byte strings on disk, named by their SHA-256.
//
//   <root>/blobs/sha256/<hex>   published blobs, mode 0644, never modified
//   <root>/tmp/<session>/<n>    blobs being written (store/staging.h)
//
// A blob is either absent or complete: writers stage in tmp/ and rename(2)
// into place. Any number of threads and processes may share a root. Sizes are
// in bytes. Every function throws SystemError for an I/O failure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "store/digest.h"
#include "store/lease.h"
#include "store/staging.h"

namespace cbuild::store {

// The bytes we got are not the bytes we were promised.
class DigestMismatch : public Error {
 public:
  DigestMismatch(const Digest& want, const Digest& got);
};

class BlobStore;

// A blob being written. Destroyed without commit(), it leaves nothing.
class BlobWriter {
 public:
  BlobWriter(BlobWriter&& other) noexcept;
  ~BlobWriter();

  void write(std::string_view data);
  std::uint64_t written() const { return written_; }

  // Ends the blob and tells its digest without publishing it; no write() may
  // follow. The bytes can be read at staged_path() until commit().
  Digest finish();
  const std::string& staged_path() const { return staged_; }

  // Publishes the blob and returns its digest. Throws DigestMismatch, storing
  // nothing, where `expected` is set and differs. Not synced to disk: the
  // caller of a whole build or pull calls Store::sync() once.
  Digest commit(std::optional<Digest> expected = {});

 private:
  friend class BlobStore;
  BlobWriter(std::string blobs, std::shared_ptr<Staging> staging,
             std::shared_ptr<Leases> leases);

  std::string blobs_;
  std::shared_ptr<Staging> staging_;
  std::shared_ptr<Leases> leases_;
  std::string staged_;  // empty once published
  Fd out_;
  Hasher hasher_;
  std::optional<Digest> digest_;  // set by finish()
  std::uint64_t written_ = 0;
  std::uint64_t written_back_ = 0;
};

class BlobStore {
 public:
  // Opens the store below `root`, creating its directories if needed.
  explicit BlobStore(const std::string& root);

  // Stores `data` and returns its digest. What is already there is cheap and
  // not an error. For JSON; layers stream through writer().
  Digest put(std::string_view data, std::optional<Digest> expected = {});

  BlobWriter writer();

  // Opens a blob for reading, or nullopt where it is absent: for a cache that
  // is an answer. The bytes are not hashed again.
  std::optional<Fd> open(const Digest& digest) const;

  // The whole blob, verified against its digest; for JSON. nullopt where it is
  // absent. A blob that does not verify is removed, with a word to
  // store/damage.h, and counts as absent.
  std::optional<std::string> read(const Digest& digest) const;

  // Hashes the blob's bytes: whether they are those of its name. False where it
  // is absent.
  bool verify(const Digest& digest) const;

  // As size(), for whoever goes on to count on the blob: a lease of this
  // process keeps it (store/lease.h).
  std::optional<std::uint64_t> hold(const Digest& digest) const;

  // Size in bytes, or nullopt if absent.
  std::optional<std::uint64_t> size(const Digest& digest) const;

  // Removes the blob; absent is fine.
  void remove(const Digest& digest);

  // Every blob there is.
  std::vector<Digest> list() const;

  // Absolute path of the blob, whether it exists or not.
  std::string path(const Digest& digest) const;

 private:
  std::string blobs_;  // <root>/blobs/sha256
  std::shared_ptr<Staging> staging_;
  std::shared_ptr<Leases> leases_;
};

}  // namespace cbuild::store
