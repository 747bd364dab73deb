// Streams of bytes inside the store: functions, so that files, decompressors,
// archives and hashes plug into each other. Memory use does not depend on their
// length. One thread at a time, except where said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"

namespace cbuild::store {

// Gives up to `size` bytes into `buffer`, 0 at the end.
using ByteSource = std::function<std::size_t(char* buffer, std::size_t size)>;
using ByteSink = std::function<void(std::string_view)>;

inline constexpr std::size_t kStreamBuffer = 256 * 1024;

// Reads `fd`, which must outlive the source. `name` is for errors.
ByteSource file_source(int fd, std::string name);

// A file is not, or not any more, what it was said to be.
class ChangedFile : public Error {
 public:
  using Error::Error;
};

// All bytes of a file, in order. Holes are not read: they come as zeros from
// memory. `fd` must outlive the source. Throws
// ChangedFile where the file has not `size` bytes.
ByteSource sparse_source(int fd, std::uint64_t size, std::string name);

// Of a file of `size` bytes, those from `begin` to before `end`.
struct FileRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t size = 0;
};
// Gives them to `take`, in order, and the sizes of holes to `skip`. Throws as
// sparse_source() does; any number of threads may read one file.
void read_sparse(int fd, FileRange range, const std::string& name,
                 const ByteSink& take,
                 const std::function<void(std::uint64_t zeros)>& skip);

// Quick where it is not.
bool all_zero(std::string_view data);

// Gives what of `data` is not zero to `take`, with its place in `data`; only
// runs of zeros that are worth a hole are left out.
void without_zeros(
    std::string_view data,
    const std::function<void(std::string_view part, std::size_t at)>& take);

// Gives `start` and then what `rest` gives.
ByteSource prefixed(std::string start, ByteSource rest);

// Reads as much as there is, up to `size` bytes: short only at the end.
std::size_t read_full(const ByteSource& source, char* buffer, std::size_t size);

// What `source` gives, shown to `see` first.
ByteSource watched(ByteSource source, ByteSink see);

// Whether two open files hold the same from where they stand to their ends.
bool same_content(int a, int b, const std::string& name);

}  // namespace cbuild::store
