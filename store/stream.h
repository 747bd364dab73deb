// Streams of bytes inside the store: functions, so that files, decompressors,
// archives and hashes plug into each other. Memory use does not depend on their
// length. One thread at a time, except where said.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/fd.h"
#include "store/digest.h"

namespace cbuild::store {

// Gives up to `size` bytes into `buffer`, 0 at the end.
using ByteSource = std::function<std::size_t(char* buffer, std::size_t size)>;
using ByteSink = std::function<void(std::string_view)>;

inline constexpr std::size_t kStreamBuffer = 256 * 1024;

// Reads `fd`, which must outlive the source. `name` is for errors.
ByteSource file_source(int fd, std::string name);

// All bytes of a file, in order. Holes are not read: they come as zeros from
// memory. `fd` must outlive the source. Throws Error where the file has not
// `size` bytes.
ByteSource sparse_source(int fd, std::uint64_t size, std::string name);
// Gives them to `take`.
void read_sparse(int fd, std::uint64_t size, const std::string& name,
                 const ByteSink& take);

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

// Reads a source on a thread of its own, a few buffers ahead, and hashes it
// there: decompression and what is done with the bytes share two processors.
class ReadAhead {
 public:
  explicit ReadAhead(ByteSource source);
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  // As a ByteSource; rethrows what the source threw.
  std::size_t read(char* buffer, std::size_t size);
  // Reads what is left and returns the digest of the whole stream.
  Digest finish();

 private:
  void produce(const ByteSource& source);
  bool offer(std::string block);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> ready_;
  std::string current_;  // the consumer's
  std::size_t used_ = 0;
  bool ended_ = false;
  bool stopping_ = false;
  std::exception_ptr failure_;
  Hasher hasher_;  // the producer's until ended_
  std::thread thread_;
};

// Whether two open files hold the same from where they stand to their ends.
bool same_content(int a, int b, const std::string& name);

}  // namespace cbuild::store
