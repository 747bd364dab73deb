#include "base/workers.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace cbuild {

Workers::Workers(std::size_t threads)
    : limit_(std::max<std::size_t>(threads, 1)) {}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    jobs_.clear();
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::submit(std::function<void()> job) {
  const std::lock_guard lock(mutex_);
  if (failure_) return;
  jobs_.push_back(std::move(job));
  if (threads_.size() < limit_ && threads_.size() < jobs_.size() + busy_) try {
      threads_.emplace_back([this] { work(); });
    } catch (const std::system_error& e) {
      // Where processes are limited: those there are do the work.
      if (threads_.empty()) {
        jobs_.pop_back();
        throw SystemError(e.code().value(), "start", "a thread");
      }
    }
  wake_.notify_one();
}

void Workers::wait() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return jobs_.empty() && busy_ == 0; });
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Workers::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    const std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    ++busy_;
    lock.unlock();
    std::exception_ptr failure;
    try {
      job();
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    --busy_;
    if (failure && !failure_) {
      failure_ = failure;
      jobs_.clear();
    }
    if (jobs_.empty() && busy_ == 0) idle_.notify_all();
  }
}

}  // namespace cbuild
