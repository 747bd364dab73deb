#include "builder/hash_behind.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/error.h"

namespace cbuild::builder {
namespace {

constexpr std::uint64_t kBlock = 256 * 1024;

}  // namespace

HashBehind::HashBehind(int file, std::string name)
    : file_(file), name_(std::move(name)), thread_([this] { run(); }) {}

HashBehind::~HashBehind() { end(); }

void HashBehind::written(std::uint64_t end) {
  {
    const std::lock_guard lock(mutex_);
    there_ = end;
  }
  changed_.notify_one();
}

void HashBehind::end() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

store::Digest HashBehind::finish() {
  end();
  if (failure_) std::rethrow_exception(failure_);
  return hasher_.finish();
}

void HashBehind::run() {
  try {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ended_ || there_ > at_; });
      const std::uint64_t end = there_;
      if (end == at_) return;
      lock.unlock();
      hash(end);
    }
  } catch (...) {
    failure_ = std::current_exception();
  }
}

void HashBehind::hash(std::uint64_t end) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(kBlock);
  while (at_ < end) {
    const auto want = static_cast<std::size_t>(std::min(end - at_, kBlock));
    const ssize_t n =
        ::pread(file_, buffer.get(), want, static_cast<off_t>(at_));
    if (n == -1 && errno == EINTR) continue;
    if (check(n, "read", name_) == 0)
      throw Error(name_ + " is shorter than what was written to it");
    hasher_.update({buffer.get(), static_cast<std::size_t>(n)});
    at_ += static_cast<std::uint64_t>(n);
  }
}

}  // namespace cbuild::builder
