// Files with holes, and zeros that could be holes.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "store/stream.h"

namespace cbuild::store {
namespace {

// File systems make holes of whole blocks; shorter ones save nothing.
constexpr std::size_t kBlock = 4096;
constexpr std::size_t kWorthAHole = 16 * kBlock;

// Shared by all that feed zeros to something.
std::string_view zeros() {
  static const std::string block(kStreamBuffer, '\0');
  return block;
}

// Next data at or after `at`, or next hole; `size` where there is none.
std::uint64_t seek(int fd, std::uint64_t at, int what, std::uint64_t size,
                   const std::string& name) {
  const off_t found = ::lseek(fd, static_cast<off_t>(at), what);
  if (found == -1 && errno == ENXIO) return size;
  return std::min(size,
                  static_cast<std::uint64_t>(check(found, "seek in", name)));
}

[[noreturn]] void throw_changed(const std::string& name) {
  throw Error(name + " changed while it was read");
}

void read_range(int fd, std::uint64_t& at, std::uint64_t end, char* buffer,
                const std::string& name, const ByteSink& take) {
  while (at < end) {
    const auto want = static_cast<std::size_t>(
        std::min<std::uint64_t>(end - at, kStreamBuffer));
    const ssize_t n = ::pread(fd, buffer, want, static_cast<off_t>(at));
    if (n == -1 && errno == EINTR) continue;
    if (check(n, "read", name) == 0) throw_changed(name);
    take({buffer, static_cast<std::size_t>(n)});
    at += static_cast<std::uint64_t>(n);
  }
}

void give_zeros(std::uint64_t& at, std::uint64_t end, const ByteSink& take) {
  while (at < end) {
    const auto n = static_cast<std::size_t>(
        std::min<std::uint64_t>(end - at, zeros().size()));
    take(zeros().substr(0, n));
    at += n;
  }
}

}  // namespace

bool all_zero(std::string_view data) {
  return data.empty() ||
         (data[0] == '\0' &&
          std::memcmp(data.data(), data.data() + 1, data.size() - 1) == 0);
}

void read_sparse(int fd, std::uint64_t size, const std::string& name,
                 const ByteSink& take) {
  struct stat st;
  check(::fstat(fd, &st), "stat", name);
  if (static_cast<std::uint64_t>(st.st_size) != size) throw_changed(name);
  const bool sparse = static_cast<std::uint64_t>(st.st_blocks) * 512 < size;
  const auto buffer = std::make_unique_for_overwrite<char[]>(
      static_cast<std::size_t>(std::min<std::uint64_t>(size, kStreamBuffer)));
  std::uint64_t at = 0;
  while (at < size) {
    if (sparse) give_zeros(at, seek(fd, at, SEEK_DATA, size, name), take);
    const std::uint64_t hole =
        sparse && at < size ? seek(fd, at, SEEK_HOLE, size, name) : size;
    read_range(fd, at, hole, buffer.get(), name, take);
  }
}

void without_zeros(
    std::string_view data,
    const std::function<void(std::string_view part, std::size_t at)>& take) {
  std::size_t begin = 0;  // of what is to be given
  for (std::size_t at = 0; at + kWorthAHole <= data.size();) {
    if (!all_zero(data.substr(at, kWorthAHole))) {
      at += kBlock;
      continue;
    }
    std::size_t end = at + kWorthAHole;
    while (end + kBlock <= data.size() && all_zero(data.substr(end, kBlock)))
      end += kBlock;
    if (at > begin) take(data.substr(begin, at - begin), begin);
    begin = at = end;
  }
  if (begin < data.size()) take(data.substr(begin), begin);
}

}  // namespace cbuild::store
