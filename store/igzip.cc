#include "store/igzip.h"

#include <isa-l/igzip_lib.h>

#include <memory>
#include <vector>

#include "base/dynlib.h"
#include "base/error.h"

namespace cbuild::store {
namespace {

constexpr std::uint32_t kLevel = 1;
constexpr std::size_t kLevelBuffer = ISAL_DEF_LVL1_DEFAULT;

struct Igzip {
  DynamicLibrary library{"libisal.so.2", "libisal2"};
  decltype(&isal_deflate_stateless_init) deflate_init =
      library.function<decltype(&isal_deflate_stateless_init)>(
          "isal_deflate_stateless_init");
  decltype(&isal_deflate_stateless) deflate =
      library.function<decltype(&isal_deflate_stateless)>(
          "isal_deflate_stateless");
  decltype(&isal_inflate_init) inflate_init =
      library.function<decltype(&isal_inflate_init)>("isal_inflate_init");
  decltype(&isal_inflate_reset) inflate_reset =
      library.function<decltype(&isal_inflate_reset)>("isal_inflate_reset");
  decltype(&isal_inflate) inflate =
      library.function<decltype(&isal_inflate)>("isal_inflate");
};

// nullptr where it is not installed: an optional help, not a need.
const Igzip* igzip() {
  static const std::unique_ptr<const Igzip> loaded =
      []() -> std::unique_ptr<const Igzip> {
    try {
      return std::make_unique<const Igzip>();
    } catch (const Error&) {
      return nullptr;
    }
  }();
  return loaded.get();
}

class Inflater {
 public:
  Inflater(const Igzip& lib, ByteSource source)
      : lib_(lib),
        source_(std::move(source)),
        input_(kStreamBuffer, '\0'),
        state_(std::make_unique<inflate_state>()) {
    lib_.inflate_init(state_.get());
    state_->crc_flag =
        ISAL_GZIP;  // headers and check sums are read and checked
    state_->avail_in = 0;
  }

  // What comes before damage is given out first.
  std::size_t read(char* buffer, std::size_t size) {
    inflate_state& s = *state_;
    s.next_out = reinterpret_cast<std::uint8_t*>(buffer);
    s.avail_out = static_cast<std::uint32_t>(size);
    while (!finished_ && !damaged_ && s.avail_out == size) step();
    if (damaged_ && s.avail_out == size) throw Error("gzip data is damaged");
    return size - s.avail_out;
  }

 private:
  void step() {
    inflate_state& s = *state_;
    if (s.block_state == ISAL_BLOCK_FINISH) {
      if (s.avail_in == 0 && !refill())
        finished_ = true;
      else
        next_member();
      return;
    }
    const std::uint32_t room = s.avail_out;
    const std::uint32_t input = s.avail_in;
    const int code = lib_.inflate(&s);
    damaged_ = code < 0 || code == ISAL_NEED_DICT;
    if (damaged_) return;
    const bool progress = s.avail_out != room || s.avail_in != input ||
                          s.block_state == ISAL_BLOCK_FINISH;
    // Only a call without any effect tells that nothing is held back inside.
    if (!progress && !refill()) throw Error("gzip data is cut short");
  }

  // Behind a member comes another one, or zeros that pad a tape block.
  void next_member() {
    inflate_state& s = *state_;
    while (s.avail_in > 0 && *s.next_in == 0) {
      ++s.next_in;
      --s.avail_in;
    }
    if (s.avail_in == 0) return;
    if (*s.next_in != 0x1f) throw Error("garbage behind the gzip data");
    lib_.inflate_reset(&s);
    s.crc_flag = ISAL_GZIP;
  }

  bool refill() {
    const std::size_t n = source_(input_.data(), input_.size());
    state_->next_in = reinterpret_cast<std::uint8_t*>(input_.data());
    state_->avail_in = static_cast<std::uint32_t>(n);
    return n > 0;
  }

  const Igzip& lib_;
  ByteSource source_;
  std::string input_;
  std::unique_ptr<inflate_state> state_;
  bool finished_ = false;
  bool damaged_ = false;
};

}  // namespace

std::optional<std::string_view> igzip_chunk(std::string_view data) {
  const Igzip* lib = igzip();
  if (lib == nullptr) return std::nullopt;
  thread_local std::vector<std::uint8_t> level_buffer(kLevelBuffer);
  isal_zstream stream;
  lib->deflate_init(&stream);
  stream.level = kLevel;
  stream.level_buf = level_buffer.data();
  stream.level_buf_size = static_cast<std::uint32_t>(level_buffer.size());
  stream.gzip_flag = IGZIP_GZIP;
  stream.end_of_stream = 1;
  stream.flush = NO_FLUSH;
  // Stored blocks, header and trailer are all that can be added.
  thread_local std::string out;
  const std::size_t most = data.size() + data.size() / 1024 + 1024;
  if (out.size() < most) out.resize(most);
  stream.next_in = reinterpret_cast<std::uint8_t*>(
      const_cast<char*>(data.data()));  // the library reads it only
  stream.avail_in = static_cast<std::uint32_t>(data.size());
  stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  stream.avail_out = static_cast<std::uint32_t>(out.size());
  if (const int code = lib->deflate(&stream); code != COMP_OK)
    throw Error("igzip: error " + std::to_string(code));
  return std::string_view(out).substr(0, stream.total_out);
}

ByteSource igzip_source(ByteSource source) {
  const Igzip* lib = igzip();
  if (lib == nullptr) return {};
  auto inflater = std::make_shared<Inflater>(*lib, std::move(source));
  return [inflater](char* buffer, std::size_t size) {
    return inflater->read(buffer, size);
  };
}

}  // namespace cbuild::store
