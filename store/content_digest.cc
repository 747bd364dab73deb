#include "store/content_digest.h"

#include <algorithm>
#include <atomic>

#include "base/workers.h"
#include "store/stream.h"

namespace cbuild::store {
namespace {

constexpr std::size_t kRawSize = 32;  // of a digest

void update_zeros(Hasher& hasher, std::uint64_t zeros) {
  static const std::string block(kStreamBuffer, '\0');
  while (zeros > 0) {
    const auto n = std::min<std::uint64_t>(zeros, block.size());
    hasher.update(std::string_view(block).substr(0, n));
    zeros -= n;
  }
}

Digest digest_of_zeros(std::uint64_t size) {
  const auto hashed = [](std::uint64_t zeros) {
    Hasher hasher;
    update_zeros(hasher, zeros);
    return hasher.finish();
  };
  static const Digest whole_piece = hashed(kContentPiece);
  return size == kContentPiece ? whole_piece : hashed(size);
}

Digest digest_of(int fd, FileRange range, const std::string& name) {
  ContentHasher hasher;
  read_sparse(
      fd, range, name, [&](std::string_view data) { hasher.update(data); },
      [&](std::uint64_t zeros) { hasher.skip(zeros); });
  return hasher.finish();
}

}  // namespace

std::uint64_t ContentHasher::room() {
  if (size_ == kContentPiece) close_piece();
  return kContentPiece - size_;
}

void ContentHasher::feed_zeros() {
  update_zeros(piece_, zeros_);
  zeros_ = 0;
}

void ContentHasher::update(std::string_view data) {
  while (!data.empty()) {
    const std::string_view part = data.substr(0, room());
    if (zeros_ == size_ && all_zero(part)) {
      zeros_ += part.size();
    } else {
      feed_zeros();
      piece_.update(part);
    }
    size_ += part.size();
    data.remove_prefix(part.size());
  }
}

void ContentHasher::skip(std::uint64_t zeros) {
  while (zeros > 0) {
    const std::uint64_t n = std::min(zeros, room());
    if (zeros_ == size_)
      zeros_ += n;
    else
      update_zeros(piece_, n);
    size_ += n;
    zeros -= n;
  }
}

Digest ContentHasher::piece_digest() {
  if (zeros_ == size_) return digest_of_zeros(size_);
  feed_zeros();
  return piece_.finish();
}

void ContentHasher::close_piece() {
  if (!before_) before_.emplace();
  before_->update(piece_digest().raw());
  piece_ = Hasher();
  size_ = zeros_ = 0;
}

Digest ContentHasher::finish() {
  if (!before_) return piece_digest();
  close_piece();
  return before_->finish();
}

Digest content_digest(std::string_view content) {
  ContentHasher hasher;
  hasher.update(content);
  return hasher.finish();
}

Digest content_digest(int fd, std::uint64_t size, const std::string& name,
                      unsigned threads) {
  if (size < kLargeContent || threads <= 1)
    return digest_of(fd, {0, size, size}, name);
  const std::size_t pieces = (size + kContentPiece - 1) / kContentPiece;
  std::string digests(pieces * kRawSize, '\0');
  std::atomic<std::size_t> next = 0;
  const auto hash_some = [&] {
    for (std::size_t i = next++; i < pieces; i = next++) {
      const std::uint64_t begin = i * kContentPiece;
      const std::uint64_t end = std::min(begin + kContentPiece, size);
      digest_of(fd, {begin, end, size}, name)
          .raw()
          .copy(digests.data() + i * kRawSize, kRawSize);
    }
  };
  const auto jobs = std::min<std::size_t>(threads, pieces);
  Workers workers(jobs);
  for (std::size_t i = 0; i < jobs; ++i) workers.submit(hash_some);
  workers.wait();
  HalfSha512 all;
  all.update(digests);
  return all.finish();
}

}  // namespace cbuild::store
