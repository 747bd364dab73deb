// A fixed number of threads that run jobs of one kind.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace cbuild {

// Runs submitted jobs on `threads` threads, started when first needed. Where
// processes are limited and fewer are to be had, those do the work; where not
// even one, submit() throws SystemError, and the job is gone.
//
// The first exception a job throws is kept; jobs that have not started by then
// are dropped, and wait() rethrows it. The destructor drops what has not
// started and waits for the rest. Every member may be called by any thread.
class Workers {
 public:
  explicit Workers(std::size_t threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void submit(std::function<void()> job);

  // Returns when no job is left; rethrows the first failure.
  void wait();

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
  std::size_t limit_;
  std::size_t busy_ = 0;
  bool stopping_ = false;
  std::exception_ptr failure_;
};

}  // namespace cbuild
