// Small operations on text; bytes, never locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cbuild {

// Pieces between separators; n separators give n + 1 pieces.
std::vector<std::string> split(std::string_view text, char separator);

std::string join(const std::vector<std::string>& parts,
                 std::string_view separator);

// Without leading and trailing characters of `blanks`.
std::string_view trim(std::string_view text,
                      std::string_view blanks = " \t\r\n\v\f");

// ASCII only; other bytes are left as they are.
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
bool equals_ignore_case(std::string_view a, std::string_view b);

// The whole text as a decimal number, or nullopt.
std::optional<std::uint64_t> parse_number(std::string_view text);

// "64m", "1.5GiB", "512": bytes as docker's RAMInBytes reads them (units of
// 1024, case does not matter), or nullopt.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

// "1.2kB", "13.4MB": decimal units, four significant digits, as docker prints
// sizes (go-units HumanSize).
std::string human_size(std::uint64_t bytes);

// Number of single-letter edits (insert, delete, replace) between two words.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate closest to `word` with a distance of 1 or 2 (buildkit's
// suggest.Search), the first of equals; nullopt when none is near or one is
// equal. With `ignore_case` letters are compared in lower case.
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates,
                                   bool ignore_case = true);

// " (did you mean X?)" for nearest(), or nothing.
std::string did_you_mean(std::string_view word,
                         const std::vector<std::string>& candidates,
                         bool ignore_case = true);

// Go's path.Clean: "a//b/../c/" -> "a/c", "" -> ".".
std::string clean_path(std::string_view path);

// `text` in double quotes with Go's %q escapes for ", \ and control bytes.
std::string go_quote(std::string_view text);

// RFC 3339 in UTC; with nanoseconds, trailing zeros dropped, if not zero.
std::string rfc3339(std::int64_t seconds, std::int64_t nanoseconds = 0);
// Seconds since the epoch of an RFC 3339 time, or nullopt.
std::optional<std::int64_t> parse_rfc3339(std::string_view text);

std::string base64_encode(std::string_view data);
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace cbuild
