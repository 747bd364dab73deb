// Owning a file descriptor, and whole-file helpers on descriptors.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace cbuild {

// Owns one file descriptor and closes it once.
//
// Move-only; an empty or moved-from Fd tests false. Functions that only use a
// descriptor take `int`; functions that keep it take `Fd` by value.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int owned) noexcept : fd_(owned) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd other) noexcept {  // by value: `other` closes the old one
    std::swap(fd_, other.fd_);
    return *this;
  }
  // Not retried on EINTR: Linux has released the number by then, and a second
  // close() could hit a descriptor another thread just opened.
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }

  explicit operator bool() const noexcept { return fd_ >= 0; }
  int get() const noexcept { return fd_; }

  // Gives the descriptor away; the caller closes it.
  int release() noexcept { return std::exchange(fd_, -1); }

  // Closes now and throws SystemError if that fails. Use it after writing: the
  // destructor has to swallow the error, and the data may be lost.
  void close();

 private:
  int fd_ = -1;
};

// Writes all of `data`, resuming after short writes and EINTR.
void write_all(int fd, std::string_view data, std::string_view name);

// Reads up to `size` bytes, resuming after EINTR; 0 at the end of the file.
std::size_t read_some(int fd, char* buffer, std::size_t size,
                      std::string_view name);

// Reads from the current offset to the end.
std::string read_all(int fd, std::string_view name);

}  // namespace cbuild
