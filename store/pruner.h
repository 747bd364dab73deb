// Prune at work: decides what goes, and makes it go. Private to store/.
//
// Made and run under the sweep lock (store/lease.h), where nobody can look
// anything up. Directories are only renamed away meanwhile.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "store/prune.h"
#include "store/reach.h"

namespace cbuild::store {

// Directories that were renamed away; they go once nobody waits any more.
class Graves {
 public:
  Graves() = default;
  Graves(const Graves&) = delete;
  Graves& operator=(const Graves&) = delete;
  ~Graves();
  void add(std::string path, std::uint64_t bytes) {
    paths_.push_back(std::move(path));
    bytes_ += bytes;
  }
  // What their going will free.
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::vector<std::string> paths_;
  std::uint64_t bytes_ = 0;
};

bool limited(const PruneOptions& options);
// How many bytes must still go to meet the limits.
std::uint64_t wanted_bytes(Store& store, const PruneOptions& options,
                           const Graves& graves);

class Pruner {
 public:
  Pruner(Store& store, const PruneOptions& options,
         const std::set<std::string>& held, Graves& graves);
  PruneReport run();

 private:
  struct AgedStep {
    StepRecord record;
    std::int64_t used;  // nanoseconds since the epoch
  };

  void drop_images();
  void drop_references();
  bool is_wanted_gone(const std::string& folder, const std::string& name) const;
  bool is_wanted_gone(const StepRecord& step, const Reached& of_images) const;
  std::size_t drop_files(const std::string& folder);
  void bury(const std::string& path, std::uint64_t bytes);
  void drop_failed();
  void drop_steps();
  std::size_t steps_to_keep(const std::vector<AgedStep>& old);
  void drop_layers_and_blobs();
  void drop_dead_names();
  void drop_dead_claims();
  bool steps_may_go() const;
  bool nothing_to_sweep() const;
  void keep_held();
  bool is_held(const Descriptor& image) const;
  Reached reached() const;
  std::uint64_t unreached_bytes(const Reached& kept) const;

  Store& store_;
  const PruneOptions& options_;
  const std::set<std::string>& held_;  // names as in store/lease.h
  Graves& graves_;
  std::int64_t before_;  // what was last used before this time may go
  // Everything there is, and its size, where something may have to go.
  std::map<LayerId, std::uint64_t> layers_;
  std::map<Digest, std::uint64_t> blobs_;
  std::vector<Descriptor> images_;  // what stays, remembered ones too
  std::vector<StepRecord> steps_;
  std::vector<LayerId> needed_;  // by running processes, below kept failed RUNs
  std::vector<Digest> needed_blobs_;
  PruneReport report_;
};

}  // namespace cbuild::store
