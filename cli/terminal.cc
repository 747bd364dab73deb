#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace cbuild::cli {
namespace {

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 1;
};

// The character at the beginning of `text`, which is not empty.
Character first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  std::size_t bytes = 1;
  std::uint32_t code = lead;
  if (lead >= 0xf0 && lead < 0xf8) {
    bytes = 4;
    code = lead & 0x07u;
  } else if (lead >= 0xe0) {
    bytes = 3;
    code = lead & 0x0fu;
  } else if (lead >= 0xc0) {
    bytes = 2;
    code = lead & 0x1fu;
  }
  if (bytes > text.size()) return {lead, 1};
  for (std::size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0u) != 0x80u) return {lead, 1};
    code = (code << 6) | (next & 0x3fu);
  }
  return {code, bytes};
}

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// Unicode 15, East_Asian_Width W and F, in blocks.
constexpr Range kWide[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x33ff},
    {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
    {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
    {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};

constexpr Range kCombining[] = {
    {0x0300, 0x036f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f},
    {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};

template <std::size_t N>
bool in(const Range (&ranges)[N], std::uint32_t code) {
  for (const Range& range : ranges)
    if (code >= range.first && code <= range.last) return true;
  return false;
}

std::size_t columns_of(std::uint32_t code) {
  if (in(kCombining, code)) return 0;
  return in(kWide, code) ? 2 : 1;
}

// Length of the escape sequence at the beginning of `text` ("\x1b[31m",
// "\x1b]0;title\a"), which begins with ESC.
std::size_t escape_length(std::string_view text) {
  if (text.size() < 2) return text.size();
  std::size_t i = 2;
  if (text[1] == '[') {
    while (i < text.size() && (text[i] < 0x40 || text[i] > 0x7e)) ++i;
    return i < text.size() ? i + 1 : i;
  }
  if (text[1] == ']') {
    while (i < text.size() && text[i] != '\a' && text[i] != '\x1b') ++i;
    if (i < text.size() && text[i] == '\x1b') ++i;
    return i < text.size() ? i + 1 : i;
  }
  return 2;
}

}  // namespace

TerminalSize terminal_size() {
  winsize window = {};
  TerminalSize size;
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &window) != 0) return size;
  if (window.ws_col != 0) size.columns = window.ws_col;
  if (window.ws_row != 0) size.rows = window.ws_row;
  return size;
}

bool is_terminal() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && term != nullptr &&
         std::string_view(term) != "dumb";
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character c = first_character(text);
    width += columns_of(c.code);
    text.remove_prefix(c.bytes);
  }
  return width;
}

std::string clip(std::string_view text, std::size_t columns) {
  std::size_t width = 0;
  std::size_t end = 0;
  while (end < text.size()) {
    const Character c = first_character(text.substr(end));
    width += columns_of(c.code);
    if (width > columns) break;
    end += c.bytes;
  }
  return std::string(text.substr(0, end));
}

std::string clean_line(std::string_view line) {
  while (line.ends_with('\r')) line.remove_suffix(1);
  if (const auto at = line.rfind('\r'); at != line.npos)
    line.remove_prefix(at + 1);
  std::string result;
  while (!line.empty()) {
    const auto c = static_cast<unsigned char>(line.front());
    if (c == 0x1b) {
      line.remove_prefix(escape_length(line));
      continue;
    }
    if (c == '\t')
      result.append(8 - display_width(result) % 8, ' ');
    else if (c >= 0x20 && c != 0x7f)
      result += line.front();
    line.remove_prefix(1);
  }
  return result;
}

}  // namespace cbuild::cli
