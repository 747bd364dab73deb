// Hashing a file on a second thread while the first one still writes it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <thread>

#include "store/digest.h"

namespace cbuild::builder {

// Reads behind the writer, where the page cache still has what was written.
class HashBehind {
 public:
  // `file` must be readable and outlive this; `name` is for errors.
  HashBehind(int file, std::string name);
  ~HashBehind();
  HashBehind(const HashBehind&) = delete;
  HashBehind& operator=(const HashBehind&) = delete;

  // All bytes before `end` are in place.
  void written(std::uint64_t end);
  // The digest of all that is in place; throws Error where it cannot be read.
  store::Digest finish();

 private:
  void run();
  void hash(std::uint64_t end);
  void end();

  int file_;
  std::string name_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t there_ = 0;  // what may be read
  bool ended_ = false;       // nothing will be added
  // The thread's until it is joined.
  std::uint64_t at_ = 0;
  store::Hasher hasher_;
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace cbuild::builder
