#include "store/stream.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace cbuild::store {
namespace {

constexpr std::size_t kBlocksAhead = 8;

}  // namespace

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

ReadAhead::ReadAhead(ByteSource source)
    : thread_([this, source = std::move(source)] { produce(source); }) {}

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ReadAhead::produce(const ByteSource& source) {
  std::exception_ptr failure;
  try {
    for (;;) {
      std::string block(kStreamBuffer, '\0');
      block.resize(read_full(source, block.data(), block.size()));
      hasher_.update(block);
      const bool last = block.size() < kStreamBuffer;
      if (!offer(std::move(block)) || last) break;
    }
  } catch (...) {
    failure = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  ended_ = true;
  failure_ = failure;
  changed_.notify_all();
}

// False where the consumer has gone away.
bool ReadAhead::offer(std::string block) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock,
                [this] { return stopping_ || ready_.size() < kBlocksAhead; });
  if (stopping_) return false;
  if (!block.empty()) ready_.push_back(std::move(block));
  changed_.notify_all();
  return true;
}

std::size_t ReadAhead::read(char* buffer, std::size_t size) {
  if (used_ == current_.size()) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_ || !ready_.empty(); });
    if (ready_.empty()) {
      if (failure_) std::rethrow_exception(failure_);
      return 0;
    }
    current_ = std::move(ready_.front());
    used_ = 0;
    ready_.pop_front();
    changed_.notify_all();
  }
  const std::size_t n = std::min(size, current_.size() - used_);
  std::memcpy(buffer, current_.data() + used_, n);
  used_ += n;
  return n;
}

Digest ReadAhead::finish() {
  std::string sink(kStreamBuffer, '\0');
  while (read(sink.data(), sink.size()) > 0) {
  }
  return hasher_.finish();
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
