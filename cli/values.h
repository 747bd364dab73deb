// Values of flags: reading them, and refusing those that cannot be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "store/store.h"

namespace cbuild::cli {

// Throws UsageError: invalid argument "value" for --flag: why.
[[noreturn]] void refuse_value(const std::string& flag,
                               const std::string& value,
                               const std::string& why);

// "NAME=VALUE" at the first of `separators`; no value where there is none.
std::pair<std::string, std::optional<std::string>> cut(
    const std::string& text, std::string_view separators = "=");

// Seconds of "90s", "30m", "1h30m", "10d"; nullopt for what is no such time.
std::optional<std::int64_t> parse_age(std::string_view text);

// Bytes of "20g", or of "10%" of the disk the store is on. Throws UsageError.
std::uint64_t space_of(const std::string& flag, const std::string& text,
                       const store::Store& store);

}  // namespace cbuild::cli
