#include "store/strict_tar.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "store/strict_header.h"

namespace cbuild::store {
namespace {

constexpr std::int64_t kMostRecords = 1 << 20;  // bytes of one PAX header
constexpr std::size_t kType = 156, kMoreSparse = 482, kStillMoreSparse = 504;

[[noreturn]] void cut_short() { throw Error("tar: unexpected EOF"); }

// The same bytes, asked for in large pieces only.
ByteSource buffered(ByteSource source) {
  return [source = std::move(source), buffer = std::string(),
          used = std::size_t{0}](char* to, std::size_t size) mutable {
    if (used == buffer.size()) {
      if (size >= kStreamBuffer) return source(to, size);
      buffer.resize(kStreamBuffer);
      buffer.resize(source(buffer.data(), buffer.size()));
      used = 0;
    }
    const std::size_t n = std::min(size, buffer.size() - used);
    std::memcpy(to, buffer.data() + used, n);
    used += n;
    return n;
  };
}

// One pass over a stream, header by header.
class Checker {
 public:
  explicit Checker(ByteSource source) : source_(buffered(std::move(source))) {}

  std::size_t read(char* buffer, std::size_t size) {
    if (passed_ == ready_.size() && data_ > 0) return pass(buffer, size);
    while (passed_ == ready_.size()) {
      if (ended_) return 0;
      ready_.clear();
      passed_ = 0;
      if (padding_ > 0)
        read_padding();
      else
        read_header();
    }
    const std::size_t n = std::min(size, ready_.size() - passed_);
    std::memcpy(buffer, ready_.data() + passed_, n);
    passed_ += n;
    return n;
  }

  // Reads headers up to the first that is about a member.
  bool find_member() {
    only_first_ = true;
    while (!ended_ && !member_) {
      while (data_ > 0) skip();
      if (padding_ > 0)
        read_padding();
      else
        read_header();
    }
    return member_;
  }

 private:
  std::size_t pass(char* buffer, std::size_t size) {
    const std::size_t n = source_(
        buffer, static_cast<std::size_t>(std::min<std::uint64_t>(size, data_)));
    if (n == 0) cut_short();
    data_ -= n;
    return n;
  }

  void skip() {
    char buffer[kTarBlock];
    pass(buffer, sizeof buffer);
  }

  void end() {
    ready_.append(2 * kTarBlock, '\0');
    ended_ = true;
  }

  void read_padding() {
    std::string padding(padding_, '\0');
    const std::size_t n = read_full(source_, padding.data(), padding.size());
    ready_ += padding;
    if (n < padding_) end();
    padding_ = 0;
  }

  // A block, added to what is ready; nullopt at the end of the stream.
  std::optional<std::string> read_block() {
    std::string block(kTarBlock, '\0');
    const std::size_t n = read_full(source_, block.data(), block.size());
    if (n == 0) return std::nullopt;
    if (n < kTarBlock) cut_short();
    ready_ += block;
    return block;
  }

  void read_header() {
    const std::optional<std::string> block = read_block();
    if (!block) return end();
    if (all_zero(*block)) {
      const std::optional<std::string> second = read_block();
      if (!second) return end();
      if (!all_zero(*second)) bad_header();
      ended_ = true;
      return;
    }
    check_tar_header(*block);
    take(*block, (*block)[kType], tar_member_size(*block));
  }

  void take(const std::string& block, char type, std::int64_t size) {
    constexpr std::string_view kHeaderOnly = "123456";
    constexpr std::string_view kFiles("0\0S", 3);
    constexpr std::string_view kOfNext = "LK";  // its long name or link target
    if (kHeaderOnly.find(type) != std::string_view::npos) {
      records_ = {};
      member_ = true;
      return;
    }
    if (type == 'x' || type == 'g') return take_records(type, size);
    if (kOfNext.find(type) != std::string_view::npos) return expect(size);
    member_ = true;
    const PaxRecords records = std::exchange(records_, {});
    if (kFiles.find(type) == std::string_view::npos && !only_first_)
      throw Error("unhandled tar header type " +
                  std::to_string(static_cast<unsigned char>(type)));
    if (type == 'S' && block[kMoreSparse] != 0) read_sparse_map();
    expect(records.size.value_or(size));
  }

  void expect(std::int64_t size) {
    if (size < 0) bad_header();
    data_ = static_cast<std::uint64_t>(size);
    padding_ =
        static_cast<std::size_t>((kTarBlock - data_ % kTarBlock) % kTarBlock);
  }

  void take_records(char type, std::int64_t size) {
    if (size < 0 || size > kMostRecords) bad_header();
    std::string text(static_cast<std::size_t>(size), '\0');
    if (read_full(source_, text.data(), text.size()) < text.size()) cut_short();
    ready_ += text;
    const PaxRecords found = parse_pax_records(text);
    if (type == 'x')
      records_ = found;
    else
      member_ = true;  // what Go's reader gives as one
    expect(size);
    data_ = 0;
  }

  void read_sparse_map() {
    for (std::optional<std::string> block = read_block();;
         block = read_block()) {
      if (!block) cut_short();
      if ((*block)[kStillMoreSparse] == 0) return;
    }
  }

  ByteSource source_;
  std::string ready_;  // checked, to be given out from `passed_` on
  std::size_t passed_ = 0;
  std::uint64_t data_ = 0;  // that passes unseen after what is ready
  std::size_t padding_ = 0;
  PaxRecords records_;  // for the next member
  bool member_ = false;
  bool only_first_ = false;  // of any type: Go's reader knows none it refuses
  bool ended_ = false;
};

}  // namespace

ByteSource checked_tar(ByteSource source) {
  auto checker = std::make_shared<Checker>(std::move(source));
  return [checker](char* buffer, std::size_t size) {
    return checker->read(buffer, size);
  };
}

bool begins_tar(ByteSource source) {
  try {
    return Checker(std::move(source)).find_member();
  } catch (const SystemError&) {
    throw;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace cbuild::store
