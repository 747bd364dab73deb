// Hashes the files of a tree on several threads while their entries pass by in
// order. Private to store/.
//
// Entries wait in groups until their contents are known; the oldest group is
// given away once it is done, so that neither the number of files nor one large
// file among them makes memory grow or threads idle.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/workers.h"
#include "store/layer_index.h"

namespace cbuild::store {

class HashedEntries {
 public:
  // `tree`: where the entries' paths begin; nobody else changes it. `take` is
  // called by the thread that calls add() and finish().
  HashedEntries(int tree, unsigned threads, const EntrySink& take);

  // A file without content is opened, and its attributes are read too.
  void add(IndexEntry entry);
  // How many were added; less those taken back.
  std::uint64_t count() const { return count_; }
  // Drops the entry that was added last.
  void take_back();
  // Hashes and gives away what is left.
  void finish();

 private:
  struct Group {
    std::vector<IndexEntry> entries;
    std::uint64_t bytes = 0;  // to be hashed
    bool done = false;        // guarded by mutex_
    std::exception_ptr failure = nullptr;
  };

  void close_group();
  void start(const std::shared_ptr<Group>& group);
  void hash(Group& group) const;
  void give_away(std::size_t left);

  int tree_;
  unsigned threads_;
  const EntrySink& take_;
  std::uint64_t count_ = 0;
  std::uint64_t files_ = 0;  // to be hashed, of all groups so far
  std::uint64_t bytes_ = 0;
  std::shared_ptr<Group> open_;
  std::deque<std::shared_ptr<Group>> waiting_;  // no thread yet
  std::deque<std::shared_ptr<Group>> order_;    // started

  std::mutex mutex_;
  std::condition_variable done_;
  std::optional<Workers> workers_;  // last: joined before the rest goes
};

}  // namespace cbuild::store
