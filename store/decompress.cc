#include <zstd.h>

#include <memory>

#include "base/error.h"
#include "store/compress.h"
#include "store/igzip.h"
#include "store/tar.h"

namespace cbuild::store {
namespace {

struct FreeDStream {
  void operator()(ZSTD_DStream* d) const { ZSTD_freeDStream(d); }
};

class ZstdReader {
 public:
  explicit ZstdReader(ByteSource source)
      : source_(std::move(source)),
        buffer_(ZSTD_DStreamInSize(), '\0'),
        stream_(ZSTD_createDStream()) {
    if (!stream_) throw Error("out of memory for decompression");
  }

  std::size_t read(char* buffer, std::size_t size) {
    ZSTD_outBuffer out = {buffer, size, 0};
    while (out.pos == 0) {
      if (input_.pos == input_.size && !held_back_ && !refill()) return 0;
      left_in_frame_ = ZSTD_decompressStream(stream_.get(), &out, &input_);
      if (ZSTD_isError(left_in_frame_))
        throw Error(std::string("zstd data is damaged: ") +
                    ZSTD_getErrorName(left_in_frame_));
      held_back_ = out.pos == out.size && left_in_frame_ != 0;
    }
    return out.pos;
  }

 private:
  bool refill() {
    input_ = {buffer_.data(), source_(buffer_.data(), buffer_.size()), 0};
    // 0 means that the last frame is complete and flushed.
    if (input_.size == 0 && left_in_frame_ != 0)
      throw Error("zstd data is cut short");
    return input_.size > 0;
  }

  ByteSource source_;
  std::string buffer_;
  ZSTD_inBuffer input_ = {nullptr, 0, 0};
  std::size_t left_in_frame_ = 0;
  bool held_back_ = false;  // the decoder may have more output without input
  std::unique_ptr<ZSTD_DStream, FreeDStream> stream_;
};

}  // namespace

Compression sniff(std::string_view start) {
  if (start.starts_with("\x1f\x8b")) return Compression::gzip;
  if (start.starts_with("\x28\xb5\x2f\xfd")) return Compression::zstd;
  // A zstd stream may begin with a skippable frame (eStargz, zstd:chunked).
  if (start.size() >= 4 && start.substr(1, 3) == "\x2a\x4d\x18" &&
      (static_cast<unsigned char>(start[0]) & 0xf0) == 0x50)
    return Compression::zstd;
  return Compression::none;
}

ByteSource decompressed(ByteSource source) {
  std::string start(4, '\0');
  start.resize(read_full(source, start.data(), start.size()));
  const Compression compression = sniff(start);
  ByteSource whole = prefixed(std::move(start), std::move(source));
  switch (compression) {
    case Compression::none:
      return whole;
    case Compression::zstd: {
      auto reader = std::make_shared<ZstdReader>(std::move(whole));
      return [reader](char* buffer, std::size_t size) {
        return reader->read(buffer, size);
      };
    }
    case Compression::gzip:
      break;
  }
  if (ByteSource fast = igzip_source(whole)) return fast;
  return filtered(std::move(whole));
}

}  // namespace cbuild::store
