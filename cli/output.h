// Results go to standard output, everything else to standard error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cbuild::cli {

// Writes to standard output. Throws SystemError; where the reader has gone
// ("| head"), ends the process as SIGPIPE would.
void print(std::string_view text);

// A line on standard error. A failure to write it has nobody to be told to.
void print_error(std::string_view line);
// The same without a line end.
void write_error(std::string_view text);

// Rows as docker prints tables: columns at least 10 wide, 3 blanks between,
// nothing after the last. All rows have as many cells as `header`.
std::string format_table(const std::vector<std::string>& header,
                         const std::vector<std::vector<std::string>>& rows);

// "7.8MB", "0B": decimal units, three significant digits (go-units HumanSize
// with precision 3, docker's choice for images and history).
std::string short_size(std::uint64_t bytes);

// "2 hours", "About a minute", "3 weeks" (go-units HumanDuration).
std::string human_duration(std::int64_t seconds);

// "3 days ago" of an RFC 3339 time; "N/A" where it is empty or no time.
std::string time_ago(std::string_view rfc3339_time);

// At most `width` characters, the last an ellipsis where something was cut.
// Counts UTF-8 characters, not bytes.
std::string ellipsis(std::string_view text, std::size_t width);

}  // namespace cbuild::cli
