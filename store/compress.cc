#include "store/compress.h"

#include <libdeflate.h>
#include <zstd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/workers.h"
#include "store/igzip.h"
#include "store/stream.h"

namespace cbuild::store {
namespace {

// Larger chunks gain gzip nothing (its window is 32 KiB), zstd a little.
constexpr std::size_t kGzipChunk = std::size_t{1} << 20;
constexpr std::size_t kZstdChunk = std::size_t{4} << 20;

// libdeflate 6 is smaller than zlib 6 and three times as fast; igzip is five
// times as fast again and 15 % larger (docs/PERFORMANCE.md).
constexpr int kGzipLevel = 6;
constexpr int kGzipFastLevel = 1;
constexpr int kGzipStored = 0;
constexpr int kZstdLevel = 3;
constexpr int kZstdFastLevel = 1;

// What incompressible() looks at.
constexpr std::size_t kShortPieces = 8;
constexpr std::size_t kShortPiece = std::size_t{4} << 10;
constexpr std::size_t kLongPiece = std::size_t{64} << 10;

struct FreeDeflate {
  void operator()(libdeflate_compressor* c) const {
    libdeflate_free_compressor(c);
  }
};

struct FreeZstd {
  void operator()(ZSTD_CCtx* c) const { ZSTD_freeCCtx(c); }
};

// The calling thread's: it holds a few hundred kilobytes of tables.
libdeflate_compressor* deflater(int level) {
  thread_local std::map<int,
                        std::unique_ptr<libdeflate_compressor, FreeDeflate>>
      compressors;
  auto& compressor = compressors[level];
  if (!compressor) compressor.reset(libdeflate_alloc_compressor(level));
  if (!compressor) throw Error("out of memory for compression");
  return compressor.get();
}

// Whether deflate finds nothing at all in the data: compressed and encrypted
// files. Looking for matches there takes as long as where there are some, and
// what comes out is the same stored blocks. A few short pieces tell at once
// where there is something to find; the long one sees repetitions.
bool incompressible(std::string_view data) {
  if (data.size() < 4 * kLongPiece) return false;
  thread_local std::string out(kLongPiece, '\0');
  // Nothing that fits into less room than the piece has.
  const auto shrinks = [](std::string_view piece) {
    return libdeflate_deflate_compress(deflater(kGzipFastLevel), piece.data(),
                                       piece.size(), out.data(),
                                       piece.size() - piece.size() / 256) != 0;
  };
  const std::size_t stride = data.size() / kShortPieces;
  for (std::size_t i = 0; i < kShortPieces; ++i)
    if (shrinks(data.substr(i * stride, kShortPiece))) return false;
  return !shrinks(data.substr(data.size() / 2, kLongPiece));
}

std::string gzip_chunk(std::string_view data, bool fast) {
  if (fast)
    if (std::optional<std::string> out = igzip_chunk(data))
      return std::move(*out);
  libdeflate_compressor* const compressor =
      deflater(fast                   ? kGzipFastLevel
               : incompressible(data) ? kGzipStored
                                      : kGzipLevel);
  std::string out(libdeflate_gzip_compress_bound(compressor, data.size()),
                  '\0');
  out.resize(libdeflate_gzip_compress(compressor, data.data(), data.size(),
                                      out.data(), out.size()));
  return out;
}

std::string zstd_chunk(std::string_view data, bool fast) {
  thread_local std::unique_ptr<ZSTD_CCtx, FreeZstd> context(ZSTD_createCCtx());
  if (!context) throw Error("out of memory for compression");
  std::string out(ZSTD_compressBound(data.size()), '\0');
  const std::size_t size =
      ZSTD_compressCCtx(context.get(), out.data(), out.size(), data.data(),
                        data.size(), fast ? kZstdFastLevel : kZstdLevel);
  if (ZSTD_isError(size))
    throw Error(std::string("zstd: ") + ZSTD_getErrorName(size));
  out.resize(size);
  return out;
}

// A chunk on its way: compressed by a worker, written by the caller.
struct Chunk {
  std::string data;
  std::exception_ptr failure;  // rethrown by the caller, in its turn
  bool done = false;
};

}  // namespace

struct Compressor::State {
  ByteSink sink;
  Compression compression;
  bool fast;
  unsigned threads;
  std::size_t chunk_size;
  std::string pending;
  std::string zero_chunk;  // a whole chunk of zeros, compressed
  bool any = false;

  std::mutex mutex;
  std::condition_variable done;
  std::deque<std::shared_ptr<Chunk>> order;
  std::optional<Workers> workers;  // last: it is joined before the rest goes

  std::string compress(std::string_view data) const {
    return compression == Compression::gzip ? gzip_chunk(data, fast)
                                            : zstd_chunk(data, fast);
  }

  void submit(std::string data) {
    any = true;
    // Holes of a sparse file come as zeros, perhaps a terabyte of them: the
    // same chunk again and again.
    const bool zero = data.size() == chunk_size && all_zero(data);
    if (zero && zero_chunk.empty()) zero_chunk = compress(data);
    if (threads <= 1) {
      sink(zero ? zero_chunk : compress(data));
      return;
    }
    auto chunk = std::make_shared<Chunk>();
    order.push_back(chunk);
    if (zero) {
      chunk->data = zero_chunk;
      chunk->done = true;
    } else {
      chunk->data = std::move(data);
      compress_later(chunk);
    }
    // Two chunks per thread keep all of them busy and memory flat.
    drain(std::size_t{threads} * 2);
  }

  void compress_later(const std::shared_ptr<Chunk>& chunk) {
    workers->submit([this, chunk] {
      std::exception_ptr failure;
      std::string out;
      try {
        out = compress(chunk->data);
      } catch (...) {
        failure = std::current_exception();
      }
      {
        const std::lock_guard lock(mutex);
        chunk->data = std::move(out);
        chunk->failure = failure;
        chunk->done = true;
      }
      done.notify_all();
    });
  }

  // Writes the oldest chunks until at most `left` are on their way.
  void drain(std::size_t left) {
    while (!order.empty()) {
      const std::shared_ptr<Chunk> oldest = order.front();
      {
        std::unique_lock lock(mutex);
        if (order.size() <= left && !oldest->done) return;
        done.wait(lock, [&] { return oldest->done; });
      }
      order.pop_front();
      if (oldest->failure) std::rethrow_exception(oldest->failure);
      sink(oldest->data);
    }
  }
};

Compressor::Compressor(ByteSink sink, Compression compression, bool fast,
                       unsigned threads)
    : state_(std::make_unique<State>()) {
  state_->sink = std::move(sink);
  state_->compression = compression;
  state_->fast = fast;
  state_->threads = threads;
  state_->chunk_size =
      compression == Compression::zstd ? kZstdChunk : kGzipChunk;
  if (threads > 1) state_->workers.emplace(threads);
}

Compressor::~Compressor() = default;

void Compressor::write(std::string_view data) {
  State& s = *state_;
  if (s.compression == Compression::none) {
    s.sink(data);
    return;
  }
  while (!data.empty()) {
    if (s.pending.capacity() < s.chunk_size) s.pending.reserve(s.chunk_size);
    const std::size_t n =
        std::min(data.size(), s.chunk_size - s.pending.size());
    s.pending.append(data.substr(0, n));
    data.remove_prefix(n);
    if (s.pending.size() < s.chunk_size) continue;
    s.submit(std::move(s.pending));
    s.pending = {};
  }
}

void Compressor::finish() {
  State& s = *state_;
  if (s.compression == Compression::none) return;
  // Nothing at all is one empty member: a reader needs a header. A thread for
  // a layer of one chunk would cost more than the chunk.
  if (!s.any) return s.sink(s.compress(s.pending));
  if (!s.pending.empty()) s.submit(std::move(s.pending));
  s.drain(0);
}

std::uint32_t crc32(std::string_view data, std::uint32_t before) {
  return libdeflate_crc32(before, data.data(), data.size());
}

}  // namespace cbuild::store
