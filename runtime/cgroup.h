// A control group for each RUN: its limits, and what it came to. Leaves are
// made when a RUN first needs one and used again by later ones of the same
// process: a RUN costs the joining, some 20 microseconds a hierarchy. Version 1
// and 2, by whichever has the controller; cgroup_tree.h says where. Leaves of
// processes that were killed are removed, with what still runs in them, when
// the next one is made.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/cgroups.h"
#include "base/fd.h"

namespace cbuild::runtime {

// For each RUN by itself. 0 and "": as the group above has it.
struct Resources {
  std::uint64_t memory = 0;      // bytes
  std::int64_t memory_swap = 0;  // memory and swap in bytes; -1: any swap
  std::uint64_t cpu_shares = 0;
  std::uint64_t cpu_period = 0;  // microseconds
  std::int64_t cpu_quota = 0;    // microseconds in each period
  std::string cpuset_cpus;
  std::string cpuset_mems;
  // Processes and threads; -1: any number; 0: half of what the kernel allows,
  // so that a fork bomb leaves room for others.
  std::int64_t pids = 0;
};

// What a group met with, counted since it was taken.
struct CgroupReport {
  bool out_of_memory = false;      // the kernel killed one of its processes
  std::uint64_t memory_limit = 0;  // bytes; 0: none
  std::uint64_t memory_peak = 0;
  bool out_of_processes = false;
};

struct CgroupLeaf;

// One RUN's group; given back by the destructor. Move-only. Without a group
// (none could be made, and no limit was asked for) all is empty.
class CgroupLease {
 public:
  CgroupLease() = default;
  CgroupLease(class CgroupPool& pool, std::unique_ptr<CgroupLeaf> leaf);
  CgroupLease(CgroupLease&&) noexcept;
  ~CgroupLease();

  explicit operator bool() const { return leaf_ != nullptr; }
  // Files that a process writes "0" to, to join (version 1).
  std::span<const int> join() const;
  // What to clone3(2) into (version 2), or -1. Moving a process there later
  // waits for an RCU grace period: 16 ms on a busy machine.
  int directory() const;
  CgroupReport report() const;

 private:
  class CgroupPool* pool_ = nullptr;
  std::unique_ptr<CgroupLeaf> leaf_;
};

// Any thread.
class CgroupPool {
 public:
  // `parent`: a group to make leaves in, "/builds", in each hierarchy.
  CgroupPool(Resources resources, std::string parent);
  ~CgroupPool();
  CgroupPool(const CgroupPool&) = delete;
  CgroupPool& operator=(const CgroupPool&) = delete;

  // Throws IsolationError where a limit that was asked for cannot be set.
  CgroupLease acquire();

 private:
  friend class CgroupLease;
  struct State;
  std::unique_ptr<State> state_;
};

// The values of one version's files that set `resources`: ("memory.max",
// "1048576"), ... in the order to write them.
std::vector<std::pair<std::string, std::string>> cgroup_settings(
    const Resources& resources, bool version_2);

}  // namespace cbuild::runtime
