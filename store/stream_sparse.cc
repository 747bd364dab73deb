// Files with holes, and zeros that could be holes.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "base/error.h"
#include "store/stream.h"

namespace cbuild::store {
namespace {

// File systems make holes of whole blocks; shorter ones save nothing.
constexpr std::size_t kBlock = 4096;
constexpr std::size_t kWorthAHole = 16 * kBlock;

// Next data at or after `at`, or next hole; `size` where there is none.
std::uint64_t seek(int fd, std::uint64_t at, int what, std::uint64_t size,
                   const std::string& name) {
  const off_t found = ::lseek(fd, static_cast<off_t>(at), what);
  if (found == -1 && errno == ENXIO) return size;
  return std::min(size,
                  static_cast<std::uint64_t>(check(found, "seek in", name)));
}

[[noreturn]] void throw_changed(const std::string& name) {
  throw ChangedFile(name + " changed while it was read");
}

std::size_t pread_some(int fd, char* buffer, std::size_t want, std::uint64_t at,
                       const std::string& name) {
  for (;;) {
    const ssize_t n = ::pread(fd, buffer, want, static_cast<off_t>(at));
    if (n == -1 && errno == EINTR) continue;
    if (check(n, "read", name) == 0) throw_changed(name);
    return static_cast<std::size_t>(n);
  }
}

// Where the next byte comes from.
struct SparseReader {
  int fd = -1;
  std::uint64_t at = 0;
  std::uint64_t end = 0;
  std::string name;
  bool sparse = false;
  std::uint64_t edge = at;  // where the data, or the hole, at `at` ends
  bool hole = false;

  SparseReader(int file, FileRange range, std::string named)
      : fd(file), at(range.begin), end(range.end), name(std::move(named)) {
    struct stat st;
    check(::fstat(fd, &st), "stat", name);
    if (static_cast<std::uint64_t>(st.st_size) != range.size)
      throw_changed(name);
    sparse = static_cast<std::uint64_t>(st.st_blocks) * 512 < range.size;
  }

  void find_edge() {
    if (at != edge) return;
    edge = end;
    hole = false;
    if (!sparse) return;
    const std::uint64_t data = seek(fd, at, SEEK_DATA, end, name);
    hole = data > at;
    edge = hole ? data : seek(fd, at, SEEK_HOLE, end, name);
  }

  // Past the hole that `at` is in.
  std::uint64_t skip() {
    const std::uint64_t zeros = edge - at;
    at = edge;
    return zeros;
  }

  std::size_t read(char* buffer, std::size_t most) {
    if (at == end) return 0;
    find_edge();
    const auto want =
        static_cast<std::size_t>(std::min<std::uint64_t>(edge - at, most));
    std::size_t got = want;
    if (hole)
      std::memset(buffer, 0, want);
    else
      got = pread_some(fd, buffer, want, at, name);
    at += got;
    return got;
  }
};

}  // namespace

bool all_zero(std::string_view data) {
  return data.empty() ||
         (data[0] == '\0' &&
          std::memcmp(data.data(), data.data() + 1, data.size() - 1) == 0);
}

ByteSource sparse_source(int fd, std::uint64_t size, std::string name) {
  auto reader = std::make_shared<SparseReader>(fd, FileRange{0, size, size},
                                               std::move(name));
  return [reader](char* buffer, std::size_t most) {
    return reader->read(buffer, most);
  };
}

void read_sparse(int fd, FileRange range, const std::string& name,
                 const ByteSink& take,
                 const std::function<void(std::uint64_t zeros)>& skip) {
  SparseReader reader(fd, range, name);
  const auto room = static_cast<std::size_t>(
      std::min<std::uint64_t>(range.end - range.begin, kStreamBuffer));
  const auto buffer = std::make_unique_for_overwrite<char[]>(room);
  while (reader.at < reader.end) {
    reader.find_edge();
    if (reader.hole)
      skip(reader.skip());
    else
      take({buffer.get(), reader.read(buffer.get(), room)});
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
