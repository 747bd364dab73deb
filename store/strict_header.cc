#include "store/strict_header.h"

#include <limits>

#include "base/error.h"
#include "base/text.h"

namespace cbuild::store {
namespace {

// struct posix_header of tar(5), and where GNU's differs.
struct Field {
  std::size_t at;
  std::size_t size;
};
constexpr Field kMode = {100, 8}, kUid = {108, 8}, kGid = {116, 8},
                kSize = {124, 12}, kTime = {136, 12}, kSum = {148, 8},
                kMajor = {329, 8}, kMinor = {337, 8};
constexpr std::string_view kPosix("ustar\0", 6), kGnu("ustar  \0", 8);
constexpr std::size_t kMagic = 257;

std::string_view field(std::string_view block, Field f) {
  return block.substr(f.at, f.size);
}

// Octal digits between blanks and zero bytes; none are 0.
std::uint64_t octal(std::string_view text) {
  constexpr std::string_view kAround(" \0", 2);
  const std::size_t first = text.find_first_not_of(kAround);
  if (first == std::string_view::npos) return 0;
  text = text.substr(first, text.find_last_not_of(kAround) + 1 - first);
  text = text.substr(0, text.find('\0'));
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '7' || value >> 61 != 0) bad_header();
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// Octal, or GNU's base 256, which may be negative.
std::int64_t number(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return static_cast<std::int64_t>(octal(text));
  const unsigned char invert = first & 0x40 ? 0xff : 0;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(static_cast<unsigned char>(text[i]) ^
                                           invert);
    if (i == 0) byte &= 0x7f;
    if (value >> 56 != 0) bad_header();
    value = value << 8 | byte;
  }
  if (value >> 63 != 0) bad_header();
  const auto plain = static_cast<std::int64_t>(value);
  return invert ? ~plain : plain;
}

// Of all bytes, the sum's own field counting as blanks; old programs summed
// signed ones.
bool sum_matches(std::string_view block) {
  std::int64_t plain = 0;
  std::int64_t with_signs = 0;
  for (std::size_t i = 0; i < kTarBlock; ++i) {
    const bool own = i >= kSum.at && i < kSum.at + kSum.size;
    const char c = own ? ' ' : block[i];
    plain += static_cast<unsigned char>(c);
    with_signs += static_cast<signed char>(c);
  }
  const auto stated = static_cast<std::int64_t>(octal(field(block, kSum)));
  return stated == plain || stated == with_signs;
}

std::optional<std::int64_t> decimal(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const auto value = parse_number(std::string(text));
  if (!value || *value > std::numeric_limits<std::int64_t>::max())
    return std::nullopt;
  const auto plain = static_cast<std::int64_t>(*value);
  return negative ? -plain : plain;
}

// "sec[.fraction]"
bool is_time(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (!decimal(text.substr(0, dot))) return false;
  return dot == std::string_view::npos ||
         text.find_first_not_of("0123456789", dot + 1) ==
             std::string_view::npos;
}

void take_record(std::string_view key, std::string_view value, PaxRecords& to) {
  const bool name =
      key == "path" || key == "linkpath" || key == "uname" || key == "gname";
  if (key.empty() || (name ? value : key).find('\0') != std::string_view::npos)
    bad_header();
  if (value.empty()) return;
  if (key == "size") {
    to.size = decimal(value);
    if (!to.size) bad_header();
  } else if (key == "uid" || key == "gid") {
    if (!decimal(value)) bad_header();
  } else if (key == "mtime" || key == "atime" || key == "ctime") {
    if (!is_time(value)) bad_header();
  }
}

}  // namespace

void bad_header() { throw Error("invalid tar header"); }

void check_tar_header(std::string_view block) {
  if (!sum_matches(block)) bad_header();
  for (const Field f : {kMode, kUid, kGid, kSize, kTime})
    number(field(block, f));
  const std::string_view magic = block.substr(kMagic, 8);
  if (!magic.starts_with(kPosix) && magic != kGnu) return;  // an older one
  for (const Field f : {kMajor, kMinor}) number(field(block, f));
}

std::int64_t tar_member_size(std::string_view block) {
  return number(field(block, kSize));
}

PaxRecords parse_pax_records(std::string_view text) {
  PaxRecords found;
  while (!text.empty()) {
    const std::size_t blank = text.find(' ');
    if (blank == std::string_view::npos) bad_header();
    const auto length = decimal(text.substr(0, blank));
    if (!length || *length < 5 || *length > std::int64_t(text.size()))
      bad_header();
    const auto end = static_cast<std::size_t>(*length);
    if (blank + 1 >= end || text[end - 1] != '\n') bad_header();
    const std::string_view record = text.substr(blank + 1, end - blank - 2);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) bad_header();
    take_record(record.substr(0, equals), record.substr(equals + 1), found);
    text.remove_prefix(end);
  }
  return found;
}

}  // namespace cbuild::store
