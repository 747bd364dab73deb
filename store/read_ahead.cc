#include "store/read_ahead.h"

#include <utility>

namespace cbuild::store {
namespace {

constexpr std::size_t kBlocksAhead = 8;

}  // namespace

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
      std::string block = spare();
      block.resize(kStreamBuffer);
      block.resize(read_full(source, block.data(), block.size()));
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

// Fresh memory costs more than what is done with it.
std::string ReadAhead::spare() {
  const std::lock_guard lock(mutex_);
  if (spares_.empty()) return {};
  std::string block = std::move(spares_.back());
  spares_.pop_back();
  return block;
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

std::string_view ReadAhead::next() {
  std::unique_lock lock(mutex_);
  if (!current_.empty()) spares_.push_back(std::exchange(current_, {}));
  changed_.wait(lock, [this] { return ended_ || !ready_.empty(); });
  if (ready_.empty()) {
    if (failure_) std::rethrow_exception(failure_);
    return {};
  }
  current_ = std::move(ready_.front());
  ready_.pop_front();
  changed_.notify_all();
  return current_;
}

std::size_t ReadAhead::read(char* buffer, std::size_t size) {
  if (unread_.empty()) unread_ = next();
  const std::size_t n = unread_.copy(buffer, size);
  unread_.remove_prefix(n);
  return n;
}

void ReadAhead::finish() {
  unread_ = {};
  while (!next().empty()) {
  }
}

}  // namespace cbuild::store
