#include "cli/output.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"

namespace cbuild::cli {
namespace {

bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), starts_character));
}

std::string plural(std::int64_t count, const char* unit) {
  return std::to_string(count) + " " + unit;
}

}  // namespace

void print(std::string_view text) {
  try {
    write_all(STDOUT_FILENO, text, "standard output");
  } catch (const SystemError& e) {
    if (e.code() != EPIPE) throw;
    ::signal(SIGPIPE, SIG_DFL);
    ::raise(SIGPIPE);
  }
}

void print_error(std::string_view line) {
  write_error(std::string(line) + '\n');
}

void write_error(std::string_view text) {
  try {
    write_all(STDERR_FILENO, text, "standard error");
  } catch (const SystemError&) {
    // There is no other place to say it.
  }
}

std::string format_table(const std::vector<std::string>& header,
                         const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const std::string& cell : header)
    widths.push_back(std::max<std::size_t>(10, characters(cell) + 3));
  for (const std::vector<std::string>& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], characters(row[i]) + 3);

  std::string text;
  const auto add = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - characters(row[i]), ' ');
    }
    text += '\n';
  };
  add(header);
  for (const std::vector<std::string>& row : rows) add(row);
  return text;
}

std::string short_size(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B",  "kB", "MB", "GB",
                                           "TB", "PB", "EB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < std::size(kUnits)) {
    value /= 1000.0;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.3g%s", value, kUnits[unit]);
  return text;
}

std::string human_duration(std::int64_t seconds) {
  if (seconds < 1) return "Less than a second";
  if (seconds == 1) return "1 second";
  if (seconds < 60) return plural(seconds, "seconds");
  const std::int64_t minutes = seconds / 60;
  if (minutes == 1) return "About a minute";
  if (minutes < 60) return plural(minutes, "minutes");
  const std::int64_t hours = (seconds + 1800) / 3600;
  if (hours == 1) return "About an hour";
  if (hours < 48) return plural(hours, "hours");
  if (hours < 24 * 7 * 2) return plural(hours / 24, "days");
  if (hours < 24 * 30 * 2) return plural(hours / 24 / 7, "weeks");
  if (hours < 24 * 365 * 2) return plural(hours / 24 / 30, "months");
  return plural(hours / 24 / 365, "years");
}

std::string time_ago(std::string_view rfc3339_time) {
  const auto then = parse_rfc3339(rfc3339_time);
  if (!then) return "N/A";
  return human_duration(std::time(nullptr) - *then) + " ago";
}

std::string ellipsis(std::string_view text, std::size_t width) {
  if (characters(text) <= width) return std::string(text);
  std::size_t kept = 0;
  std::size_t end = 0;
  while (end < text.size()) {
    if (starts_character(text[end]) && ++kept == width) break;
    ++end;
  }
  return std::string(text.substr(0, end)) + "…";
}

}  // namespace cbuild::cli
