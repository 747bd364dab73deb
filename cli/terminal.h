// Text on a terminal: its size, and how wide texts are on it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cbuild::cli {

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

// Of standard error; 80 by 24 where it will not say.
TerminalSize terminal_size();

// Standard error is a terminal that can move its cursor.
bool is_terminal();

// Columns that a text without control characters takes: East Asian wide
// characters take two, combining ones none. Broken UTF-8 counts by byte.
std::size_t display_width(std::string_view text);

// The longest beginning of `text` that fits into `columns`.
std::string clip(std::string_view text, std::size_t columns);

// One line of a command's output as it can be shown inside other text: what a
// carriage return has overwritten is dropped, escape sequences and control
// characters too; tabs become blanks.
std::string clean_line(std::string_view line);

}  // namespace cbuild::cli
