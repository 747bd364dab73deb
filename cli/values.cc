#include "cli/values.h"

#include "base/error.h"
#include "base/text.h"
#include "store/usage.h"

namespace cbuild::cli {

void refuse_value(const std::string& flag, const std::string& value,
                  const std::string& why) {
  throw UsageError("invalid argument " + go_quote(value) + " for --" + flag +
                   ": " + why);
}

std::pair<std::string, std::optional<std::string>> cut(
    const std::string& text, std::string_view separators) {
  const std::size_t at = text.find_first_of(separators);
  if (at == std::string::npos) return {text, std::nullopt};
  return {text.substr(0, at), text.substr(at + 1)};
}

std::optional<std::int64_t> parse_age(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t seconds = 0;
  while (!text.empty()) {
    const std::size_t digits = text.find_first_not_of("0123456789");
    if (digits == 0 || digits == text.npos) return std::nullopt;
    const auto number = parse_number(text.substr(0, digits));
    // Bounded so that no product below can overflow.
    if (!number || *number > 1'000'000'000) return std::nullopt;
    const auto count = static_cast<std::int64_t>(*number);
    switch (text[digits]) {
      case 's':
        seconds += count;
        break;
      case 'm':
        seconds += count * 60;
        break;
      case 'h':
        seconds += count * 3600;
        break;
      case 'd':
        seconds += count * 86400;
        break;
      default:
        return std::nullopt;
    }
    text.remove_prefix(digits + 1);
  }
  return seconds;
}

std::uint64_t space_of(const std::string& flag, const std::string& text,
                       const store::Store& store) {
  if (text.ends_with('%')) {
    const auto percent =
        parse_number(std::string_view(text).substr(0, text.size() - 1));
    if (percent && *percent <= 100)
      return store::disk_space(store).total / 100 * *percent;
  } else if (const auto bytes = parse_bytes(text)) {
    return *bytes;
  }
  refuse_value(flag, text, "want a size such as 20g or 10%");
}

}  // namespace cbuild::cli
