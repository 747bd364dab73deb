// A tar's header block and PAX records by the rules of Go's archive/tar, which
// is what BuildKit reads with. Private to store/.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cbuild::store {

inline constexpr std::size_t kTarBlock = 512;

[[noreturn]] void bad_header();  // Error "invalid tar header"

// Sum and numbers of a block; Go looks at no more. Throws bad_header().
void check_tar_header(std::string_view block);

// As the block has it; may be negative.
std::int64_t tar_member_size(std::string_view block);

// What of a PAX header matters to where the next member ends.
struct PaxRecords {
  std::optional<std::int64_t> size;
};

// "length key=value\n" each, the length counting all of it; values of known
// keys are checked. Throws bad_header().
PaxRecords parse_pax_records(std::string_view text);

}  // namespace cbuild::store
