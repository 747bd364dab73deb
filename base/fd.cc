#include "base/fd.h"

#include <sys/stat.h>

#include <cerrno>

#include "base/error.h"

namespace cbuild {

void Fd::close() {
  if (fd_ < 0) return;
  check(::close(std::exchange(fd_, -1)), "close", "");
}

void write_all(int fd, std::string_view data, std::string_view name) {
  while (!data.empty()) {
    const ssize_t n = ::write(fd, data.data(), data.size());
    if (n == -1 && errno == EINTR) continue;
    check(n, "write", name);
    data.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::size_t read_some(int fd, char* buffer, std::size_t size,
                      std::string_view name) {
  for (;;) {
    const ssize_t n = ::read(fd, buffer, size);
    if (n == -1 && errno == EINTR) continue;
    return static_cast<std::size_t>(check(n, "read", name));
  }
}

std::string read_all(int fd, std::string_view name) {
  std::string data;
  struct stat st;
  if (::fstat(fd, &st) == 0 && st.st_size > 0)
    data.reserve(static_cast<std::size_t>(st.st_size) + 1);
  std::size_t used = 0;
  for (;;) {
    data.resize(std::max(used + 4096, data.capacity()));
    const std::size_t n =
        read_some(fd, data.data() + used, data.size() - used, name);
    used += n;
    if (n == 0) break;
  }
  data.resize(used);
  return data;
}

}  // namespace cbuild
