// Reading a stream on a thread of its own: where that decompresses or hashes,
// it and what is done with the bytes share two processors.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "store/stream.h"

namespace cbuild::store {

// A few blocks ahead of who uses them, one thread too.
class ReadAhead {
 public:
  explicit ReadAhead(ByteSource source);
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  // The next bytes, good until the next call; empty at the end. Rethrows what
  // the source threw.
  std::string_view next();
  // The same as a ByteSource.
  std::size_t read(char* buffer, std::size_t size);
  // Reads what is left: the source will not be asked any more.
  void finish();

 private:
  void produce(const ByteSource& source);
  std::string spare();
  bool offer(std::string block);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> ready_;
  std::vector<std::string> spares_;  // to be filled again
  bool ended_ = false;
  bool stopping_ = false;
  std::exception_ptr failure_;
  // The consumer's.
  std::string current_;
  std::string_view unread_;  // of current_, for read()
  std::thread thread_;
};

}  // namespace cbuild::store
