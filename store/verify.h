// Whether everything in the store is what it says it is.
//
// Works beside other processes, and reads and hashes all of it: blobs against
// their names, trees against their indexes, tarballs against the diffIDs noted
// for them, records, names and what they need. Repairing drops what is wrong,
// since everything but names can be made or fetched again: an index is made
// again from the tree, a tree unpacked again from its tarball, a tarball packed
// again where that gives the same bytes; a layer that cannot be saved goes with
// the records that name it, a name whose image cannot be saved is taken away.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "store/store.h"

namespace cbuild::store {

struct VerifyOptions {
  bool repair = false;
  unsigned threads = 1;
  const std::atomic<bool>* stop = nullptr;  // true: throw Interrupted
};

struct Problem {
  enum class Kind { blob, layer, record, name, reference } kind;
  std::string subject;  // digest, layer id, key or name
  std::string what;     // "has another digest"
  std::string repair;   // what was done, empty where nothing was
};

struct VerifyReport {
  // Another process uses the store: nothing was repaired.
  bool busy = false;
  std::size_t blobs = 0;  // how many were looked at
  std::size_t layers = 0;
  std::size_t records = 0;
  std::size_t names = 0;
  std::uint64_t bytes = 0;  // of blobs and of files in trees
  std::vector<Problem> problems;

  bool sound() const { return problems.empty(); }
};

// To repair, it needs the store for itself, but only where something is wrong:
// it looks first, and again, while others wait for the store, when it has that.
VerifyReport verify(Store& store, const VerifyOptions& options);

}  // namespace cbuild::store
