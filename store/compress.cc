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
#include <thread>
#include <utility>
#include <vector>

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
// times as fast again and 15 % larger.
constexpr int kGzipLevel = 6;
constexpr int kGzipFastLevel = 1;
constexpr int kGzipStored = 0;
constexpr int kZstdLevel = 3;
constexpr int kZstdFastLevel = 1;

// What incompressible() looks at.
constexpr std::size_t kShortPieces = 8;
constexpr std::size_t kShortPiece = std::size_t{2} << 10;
constexpr std::size_t kLongPiece = std::size_t{32} << 10;

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

// The calling thread's, for what it compresses next. It is kept, as fresh
// memory would cost more than filling it.
std::string& output(std::size_t size) {
  thread_local std::string room;
  if (room.size() < size) room.resize(size);
  return room;
}

// What these return is good until the thread's next call.
std::string_view gzip_chunk(std::string_view data, bool fast) {
  if (fast)
    if (const auto out = igzip_chunk(data)) return *out;
  libdeflate_compressor* const compressor =
      deflater(fast                   ? kGzipFastLevel
               : incompressible(data) ? kGzipStored
                                      : kGzipLevel);
  std::string& out =
      output(libdeflate_gzip_compress_bound(compressor, data.size()));
  return std::string_view(out).substr(
      0, libdeflate_gzip_compress(compressor, data.data(), data.size(),
                                  out.data(), out.size()));
}

std::string_view zstd_chunk(std::string_view data, bool fast) {
  thread_local std::unique_ptr<ZSTD_CCtx, FreeZstd> context(ZSTD_createCCtx());
  if (!context) throw Error("out of memory for compression");
  std::string& out = output(ZSTD_compressBound(data.size()));
  const std::size_t size =
      ZSTD_compressCCtx(context.get(), out.data(), out.size(), data.data(),
                        data.size(), fast ? kZstdFastLevel : kZstdLevel);
  if (ZSTD_isError(size))
    throw Error(std::string("zstd: ") + ZSTD_getErrorName(size));
  return std::string_view(out).substr(0, size);
}

// A chunk on its way, plain and then compressed.
struct Chunk {
  std::string data;
  std::exception_ptr failure;  // rethrown in its turn
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
  std::once_flag zeros_once;
  std::string zero_chunk;  // a whole chunk of zeros, compressed
  bool any = false;

  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::deque<std::shared_ptr<Chunk>> order;  // those not handed over
  std::vector<std::string> spares;           // used, to be filled again
  bool ended = false;                        // no chunk follows
  bool stopping = false;                     // what is left is not wanted
  std::exception_ptr failure;                // of the writer, which has gone
  std::optional<Workers> workers;
  std::thread writer;

  ~State() { join(stopping); }

  std::string_view compress_any(std::string_view data) const {
    return compression == Compression::gzip ? gzip_chunk(data, fast)
                                            : zstd_chunk(data, fast);
  }

  // Holes of a sparse file come as zeros, perhaps a terabyte of them: the same
  // chunk again and again.
  std::string_view compress(std::string_view data) {
    if (data.size() != chunk_size || !all_zero(data)) return compress_any(data);
    std::call_once(zeros_once, [&] { zero_chunk = compress_any(data); });
    return zero_chunk;
  }

  // Takes what is pending.
  void submit() {
    any = true;
    if (threads <= 1) {
      sink(compress(pending));
      pending.clear();
      return;
    }
    auto chunk = std::make_shared<Chunk>();
    chunk->data.swap(pending);
    enqueue(chunk);
    compress_later(chunk);
  }

  // Two chunks per thread keep all of them busy and memory flat.
  void enqueue(const std::shared_ptr<Chunk>& chunk) {
    std::unique_lock lock(mutex);
    if (!writer.joinable()) writer = std::thread([this] { write_chunks(); });
    changed.wait(lock, [this] {
      return failure || order.size() <= std::size_t{threads} * 2;
    });
    if (failure) std::rethrow_exception(failure);
    order.push_back(chunk);
    changed.notify_all();
    if (!spares.empty()) {
      pending.swap(spares.back());
      spares.pop_back();
    }
    pending.clear();
    pending.reserve(chunk_size + chunk_size / 64);  // compressed or not
  }

  void compress_later(const std::shared_ptr<Chunk>& chunk) {
    if (!workers) workers.emplace(threads);
    workers->submit([this, chunk] {
      std::exception_ptr failed;
      try {
        chunk->data.assign(compress(chunk->data));
      } catch (...) {
        failed = std::current_exception();
      }
      const std::lock_guard lock(mutex);
      chunk->failure = failed;
      chunk->done = true;
      changed.notify_all();
    });
  }

  // The oldest chunk, when it is done; nullptr when there will be none.
  std::shared_ptr<Chunk> next_done() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] {
      return stopping || (order.empty() ? ended : order.front()->done);
    });
    if (stopping || order.empty()) return nullptr;
    std::shared_ptr<Chunk> chunk = std::move(order.front());
    order.pop_front();
    changed.notify_all();
    return chunk;
  }

  // The writer's.
  void write_chunks() {
    try {
      while (const std::shared_ptr<Chunk> chunk = next_done()) {
        if (chunk->failure) std::rethrow_exception(chunk->failure);
        sink(chunk->data);
        const std::lock_guard lock(mutex);
        spares.push_back(std::move(chunk->data));
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      changed.notify_all();
    }
  }

  void join(bool& why) {
    if (!writer.joinable()) return;
    {
      const std::lock_guard lock(mutex);
      why = true;
    }
    changed.notify_all();
    writer.join();
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
}

Compressor::~Compressor() = default;

void Compressor::write(std::string_view data) {
  State& s = *state_;
  if (s.compression == Compression::none) {
    s.sink(data);
    return;
  }
  while (!data.empty()) {
    const std::size_t n =
        std::min(data.size(), s.chunk_size - s.pending.size());
    s.pending.append(data.substr(0, n));
    data.remove_prefix(n);
    if (s.pending.size() == s.chunk_size) s.submit();
  }
}

void Compressor::finish() {
  State& s = *state_;
  if (s.compression == Compression::none) return;
  // Nothing at all is one empty member: a reader needs a header. A thread for
  // a layer of one chunk would cost more than the chunk.
  if (!s.any) return s.sink(s.compress(s.pending));
  if (!s.pending.empty()) s.submit();
  s.join(s.ended);
  if (s.failure) std::rethrow_exception(s.failure);
}

std::uint32_t crc32(std::string_view data, std::uint32_t before) {
  return libdeflate_crc32(before, data.data(), data.size());
}

}  // namespace cbuild::store
