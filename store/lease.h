// What running processes need of the store, so that prune can work beside them.
//
//   <root>/locks/leases/<random>   one for each process that uses the store,
//                                  locked (OFD) while it lives; a line for each
//                                  thing that it holds
//   <root>/locks/sweep             shared while something is looked up and
//   held,
//                                  exclusive while prune decides and removes
//
// A thing is named by its path below the root ("layers/<id>", "steps/<key>"),
// an image by "images/<digest>" or "indexes/<digest>": with it goes all that it
// names. What a process finds it holds before prune may look again, and what it
// makes it holds before that gets its name; so prune removes nothing that a
// process counts on, and no process waits for another's build. The kernel drops
// the lock with the process: what a dead one held is free. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "store/chain.h"
#include "store/lock.h"

namespace cbuild::store {

class Leases;

// While one lives, what this process finds or makes in the store is held.
class Lease {
 public:
  Lease(Lease&&) = default;
  Lease& operator=(Lease&&) = delete;
  ~Lease();

 private:
  friend class Store;
  explicit Lease(std::shared_ptr<Leases> leases);
  std::shared_ptr<Leases> leases_;  // empty where moved from
};

// Prune's side: nothing can be looked up and held while one lives.
struct Sweep {
  FileLock lock;
  std::set<std::string> held;  // by processes that live
};

class Leases {
 public:
  // The process's one object for `root`.
  static std::shared_ptr<Leases> of(const std::string& root);
  explicit Leases(std::string root) : root_(std::move(root)) {}

  // Keeps prune away while something is looked up. Empty where the process has
  // no lease: then nothing is held for it either.
  class Looking {
   public:
    explicit Looking(Leases& leases) : leases_(leases), lock_(leases.look()) {}
    void hold(const std::string& name) { hold(std::vector<std::string>{name}); }
    void hold(const std::vector<std::string>& names);
    // "layers/<id>" each. Chains of steps that stand on each other begin with
    // the same layers, and only what is new costs.
    void hold_layers(const Chain& chain);

   private:
    Leases& leases_;
    std::optional<FileLock> lock_;
  };

  // For what is about to be made.
  void hold(const std::string& name) { Looking(*this).hold(name); }

  // Waits for those that look something up. Must not be called by a thread that
  // does so itself; forgets what dead processes held.
  Sweep sweep() const;
  // The store for one alone: nullopt while a process has a lease. Whoever wants
  // one waits meanwhile.
  std::optional<FileLock> sole_use() const;
  // Removes what dead processes left, unless someone else is at it.
  void drop_dead() const;

 private:
  friend class Lease;
  void acquire();
  void release();
  std::optional<FileLock> look();
  void write(const std::vector<std::string>& names);
  std::string directory() const { return root_ + "/locks/leases"; }
  std::string sweep_path() const { return root_ + "/locks/sweep"; }

  std::string root_;
  std::mutex mutex_;  // guards what follows
  std::size_t count_ = 0;
  std::string path_;
  std::optional<FileLock> file_;
  std::unordered_set<std::string> held_;
  Chain chain_;  // the last one of hold_layers()
};

}  // namespace cbuild::store
