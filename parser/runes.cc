#include "parser/runes.h"

#include <algorithm>
#include <array>

namespace cbuild::parser {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Blocks of punctuation, symbols, combining marks, blanks and private use.
constexpr std::array kNoLetters = {
    Range{0x80, 0xa9},       Range{0xab, 0xb4},
    Range{0xb6, 0xb9},       Range{0xbb, 0xbf},
    Range{0xd7, 0xd7},       Range{0xf7, 0xf7},
    Range{0x2c2, 0x2c5},     Range{0x2d2, 0x2df},
    Range{0x300, 0x36f},     Range{0x37e, 0x37e},
    Range{0x387, 0x387},     Range{0x482, 0x489},
    Range{0x591, 0x5cf},     Range{0x600, 0x61f},
    Range{0x64b, 0x66d},     Range{0x6d4, 0x6d4},
    Range{0x964, 0x970},     Range{0x1680, 0x1680},
    Range{0x1dc0, 0x1dff},   Range{0x2000, 0x2070},
    Range{0x2074, 0x207e},   Range{0x2080, 0x208e},
    Range{0x20a0, 0x2101},   Range{0x2103, 0x2106},
    Range{0x2116, 0x2117},   Range{0x2120, 0x2123},
    Range{0x2190, 0x2bff},   Range{0x2e00, 0x2e2e},
    Range{0x2e30, 0x3004},   Range{0x3007, 0x3030},
    Range{0x3036, 0x303a},   Range{0x303d, 0x3040},
    Range{0x3099, 0x309c},   Range{0x30a0, 0x30a0},
    Range{0x30fb, 0x30fb},   Range{0xd800, 0xf8ff},
    Range{0xfe00, 0xfe6f},   Range{0xfeff, 0xff20},
    Range{0xff3b, 0xff40},   Range{0xff5b, 0xff65},
    Range{0xffe0, 0xffff},   Range{0x1d100, 0x1d3ff},
    Range{0x1f000, 0x1fbff}, Range{0xe0000, 0xffffffff},
};

constexpr std::array kDigits = {
    Range{'0', '9'},         Range{0x660, 0x669}, Range{0x6f0, 0x6f9},
    Range{0x966, 0x96f},     Range{0xe50, 0xe59}, Range{0xff10, 0xff19},
    Range{0x1d7ce, 0x1d7ff},
};

template <typename Ranges>
bool contains(const Ranges& ranges, char32_t rune) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const Range& range) {
    return range.first <= rune && rune <= range.last;
  });
}

std::size_t sequence_size(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  if (lead >= 0xf0 && lead < 0xf5) return 4;
  return 0;
}

bool is_overlong_or_surrogate(char32_t value, std::size_t size) {
  return (size == 3 && value < 0x800) || (size == 4 && value < 0x10000) ||
         (value >= 0xd800 && value < 0xe000) || value > 0x10ffff;
}

}  // namespace

Rune rune_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return {lead, 1};
  const Rune bad{kBadByte + lead, 1};
  const std::size_t size = sequence_size(lead);
  if (size == 0 || at + size > text.size()) return bad;
  char32_t value = lead & (0xffu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return bad;
    value = (value << 6) | (byte(at + i) & 0x3fu);
  }
  if (is_overlong_or_surrogate(value, size)) return bad;
  return {value, size};
}

std::vector<char32_t> to_runes(std::string_view text) {
  std::vector<char32_t> runes;
  runes.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Rune rune = rune_at(text, at);
    runes.push_back(rune.value);
    at += rune.size;
  }
  return runes;
}

void append_rune(std::string& text, char32_t rune) {
  const auto put = [&](char32_t byte) { text += static_cast<char>(byte); };
  const auto tail = [&](int shift) { put(0x80 | ((rune >> shift) & 0x3f)); };
  if (rune >= kBadByte) {
    put(rune - kBadByte);
  } else if (rune < 0x80) {
    put(rune);
  } else if (rune < 0x800) {
    put(0xc0 | (rune >> 6));
    tail(0);
  } else if (rune < 0x10000) {
    put(0xe0 | (rune >> 12));
    tail(6);
    tail(0);
  } else {
    put(0xf0 | (rune >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

bool is_space(char32_t rune) {
  if (rune < 0x80) return rune == ' ' || (rune >= '\t' && rune <= '\r');
  return rune == 0x85 || rune == 0xa0 || rune == 0x1680 ||
         (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028 ||
         rune == 0x2029 || rune == 0x202f || rune == 0x205f || rune == 0x3000;
}

bool is_digit(char32_t rune) {
  if (rune < 0x80) return rune >= '0' && rune <= '9';
  return contains(kDigits, rune);
}

bool is_letter(char32_t rune) {
  if (rune < 0x80)
    return (rune >= 'a' && rune <= 'z') || (rune >= 'A' && rune <= 'Z');
  return !contains(kNoLetters, rune) && !contains(kDigits, rune);
}

std::size_t space_size(std::string_view text, std::size_t at) {
  const Rune rune = rune_at(text, at);
  return is_space(rune.value) ? rune.size : 0;
}

std::string_view trim_space_left(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = space_size(text, 0);
    if (size == 0) break;
    text.remove_prefix(size);
  }
  return text;
}

std::string_view trim_space(std::string_view text) {
  text = trim_space_left(text);
  std::size_t end = text.size();
  while (end > 0) {
    std::size_t start = end - 1;
    while (start > 0 && end - start < 4 &&
           (static_cast<unsigned char>(text[start]) & 0xc0) == 0x80)
      --start;
    if (space_size(text, start) != end - start) break;
    end = start;
  }
  return text.substr(0, end);
}

}  // namespace cbuild::parser
