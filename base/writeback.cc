#include "base/writeback.h"

#include <fcntl.h>

namespace cbuild {
namespace {

// Smaller files, and ends of larger ones, are left to the sync: many builds
// remove them again before it.
constexpr std::uint64_t kWorthIt = std::uint64_t{16} << 20;

}  // namespace

std::uint64_t start_writeback(int fd, std::uint64_t from, std::uint64_t end) {
  if (end - from < kWorthIt) return from;
  ::sync_file_range(fd, static_cast<off_t>(from),
                    static_cast<off_t>(end - from), SYNC_FILE_RANGE_WRITE);
  return end;
}

}  // namespace cbuild
