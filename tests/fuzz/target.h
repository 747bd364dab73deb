// What the fuzz targets share: how an input is read, and what must hold.
//
// The first line of an input may be settings, the rest is the text; so seeds
// are files that a person can read and write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

// Calls abort(), which libFuzzer keeps as a finding.
#define MUST(condition)                                               \
  do {                                                                \
    if (!(condition)) {                                               \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, \
                   #condition);                                       \
      std::abort();                                                   \
    }                                                                 \
  } while (false)

namespace cbuild::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// The first line and what is below it; all is the second if there is no line
// end.
inline std::pair<std::string_view, std::string_view> first_line(
    std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == text.npos) return {{}, text};
  return {text.substr(0, end), text.substr(end + 1)};
}

}  // namespace cbuild::fuzz
