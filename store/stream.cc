#include "store/stream.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace cbuild::store {
ByteSource file_source(int fd, std::string name) {
  return [fd, name = std::move(name)](char* buffer, std::size_t size) {
    return read_some(fd, buffer, size, name);
  };
}

ByteSource prefixed(std::string start, ByteSource rest) {
  struct State {
    std::string start;
    std::size_t used = 0;
  };
  auto state = std::make_shared<State>(State{std::move(start)});
  return [state, rest = std::move(rest)](char* buffer, std::size_t size) {
    const std::size_t left = state->start.size() - state->used;
    if (left == 0) return rest(buffer, size);
    const std::size_t n = std::min(left, size);
    std::memcpy(buffer, state->start.data() + state->used, n);
    state->used += n;
    return n;
  };
}

std::size_t read_full(const ByteSource& source, char* buffer,
                      std::size_t size) {
  std::size_t used = 0;
  while (used < size) {
    const std::size_t n = source(buffer + used, size - used);
    if (n == 0) break;
    used += n;
  }
  return used;
}

ByteSource watched(ByteSource source, ByteSink see) {
  return [source = std::move(source), see = std::move(see)](char* buffer,
                                                            std::size_t size) {
    const std::size_t n = source(buffer, size);
    see({buffer, n});
    return n;
  };
}

bool same_content(int a, int b, const std::string& name) {
  std::string left(kStreamBuffer, '\0');
  std::string right(kStreamBuffer, '\0');
  for (;;) {
    const std::size_t n = read_some(a, left.data(), left.size(), name);
    std::size_t m = 0;
    while (m < n) {
      const std::size_t more = read_some(b, right.data() + m, n - m, name);
      if (more == 0) return false;
      m += more;
    }
    if (n == 0) return true;
    if (left.compare(0, n, right, 0, n) != 0) return false;
  }
}

}  // namespace cbuild::store
