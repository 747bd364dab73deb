// Characters of UTF-8 text as Go sees them: private to parser/.
//
// BuildKit trims and splits by Unicode's blanks and takes Unicode's letters
// into variable names. Bytes that are no UTF-8 are kept as they are: each is
// one character of its own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cbuild::parser {

struct Rune {
  char32_t value = 0;    // a bad byte b is kBadByte + b
  std::size_t size = 1;  // bytes
};

inline constexpr char32_t kBadByte = 0x110000;

// The character that starts at `at`, which must be inside the text.
Rune rune_at(std::string_view text, std::size_t at);
std::vector<char32_t> to_runes(std::string_view text);
void append_rune(std::string& text, char32_t rune);

// unicode.IsSpace.
bool is_space(char32_t rune);
// unicode.IsDigit and unicode.IsLetter; exact for ASCII and Latin-1, beyond
// that what is no known punctuation, symbol, mark or blank is a letter.
bool is_digit(char32_t rune);
bool is_letter(char32_t rune);

// Number of bytes of blanks at `at`; 0 if there is none.
std::size_t space_size(std::string_view text, std::size_t at);

// strings.TrimSpace and its left half.
std::string_view trim_space(std::string_view text);
std::string_view trim_space_left(std::string_view text);

}  // namespace cbuild::parser
