#include "runtime/cgroup.h"

#include <fcntl.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "base/dir.h"
#include "base/error.h"
#include "base/text.h"
#include "runtime/cgroup_tree.h"
#include "runtime/overlay.h"

namespace cbuild::runtime {

// A directory in each hierarchy that has to do with a limit.
struct CgroupLeaf {
  struct Place {
    CgroupHierarchy hierarchy;
    CgroupDir group;
    const std::string& directory() const { return group.path(); }
  };
  std::vector<Place> places;
  std::vector<Fd> tasks;
  std::vector<int> join;
  Fd directory;
  std::uint64_t kills = 0;  // counted so far
  std::uint64_t refusals = 0;
};

namespace {

constexpr std::uint64_t kNoLimit = 1ull << 62;  // version 1 has a number for it

std::optional<std::uint64_t> number_of(const std::string& path) {
  return parse_number(cgroup_text(path));
}

// The number after `key` and a blank at the start of a line.
std::uint64_t counter(const std::string& path, const std::string& key) {
  for (const std::string& line : split(cgroup_text(path), '\n'))
    if (line.starts_with(key + " "))
      return parse_number(line.substr(key.size() + 1)).value_or(0);
  return 0;
}

// What is to be set with one controller's files.
struct Need {
  const char* controller;
  bool asked_for;
  const char* flag;
};

std::vector<Need> needs_of(const Resources& r) {
  return {{"memory", r.memory != 0 || r.memory_swap != 0, "--memory"},
          {"pids", r.pids > 0, "--pids-limit"},
          {"cpu", r.cpu_shares != 0 || r.cpu_period != 0 || r.cpu_quota != 0,
           "--cpus"},
          {"cpuset", !r.cpuset_cpus.empty() || !r.cpuset_mems.empty(),
           "--cpuset-cpus"}};
}

std::uint64_t smaller(std::uint64_t a, std::optional<std::uint64_t> b) {
  if (!b || *b == 0) return a;
  return a == 0 ? *b : std::min(a, *b);
}

// So that it is the leaf that counts what the group above would refuse.
Resources within(Resources resources, const std::string& above) {
  const auto pids = number_of(above + "/pids.max");
  if (pids && (resources.pids <= 0 ||
               static_cast<std::uint64_t>(resources.pids) > *pids))
    resources.pids = static_cast<std::int64_t>(*pids);
  return resources;
}

std::uint64_t memory_limit(const CgroupLeaf::Place& place) {
  const CgroupHierarchy& h = place.hierarchy;
  const char* file = h.version_2 ? "/memory.max" : "/memory.limit_in_bytes";
  std::uint64_t limit = 0;
  for (std::string directory = place.directory();
       directory.size() >= h.mount.size();
       directory = directory.substr(0, directory.rfind('/'))) {
    const auto value = number_of(directory + file);
    if (value && *value < kNoLimit) limit = smaller(limit, value);
  }
  return limit;
}

std::uint64_t memory_kills(const CgroupLeaf::Place& place) {
  return counter(
      place.directory() + (place.hierarchy.version_2 ? "/memory.events"
                                                     : "/memory.oom_control"),
      "oom_kill");
}

std::uint64_t pids_refused(const CgroupLeaf::Place& place) {
  return counter(place.directory() + "/pids.events", "max");
}

// Controllers of version 2 that are asked for may be had from groups above.
void keep_wanted(const std::vector<Need>& needs, CgroupHierarchy& h) {
  std::vector<std::string> above;
  if (h.version_2) above = cgroup_words(h.mount + "/cgroup.controllers");
  std::vector<std::string> wanted;
  for (const Need& need : needs) {
    const std::string name = need.controller;
    const bool always = name == "memory" || name == "pids";
    if ((h.has(name) && (need.asked_for || always)) ||
        (need.asked_for &&
         std::find(above.begin(), above.end(), name) != above.end()))
      wanted.push_back(name);
  }
  h.controllers = std::move(wanted);
}

}  // namespace

// A hierarchy in which leaves are made, all in one directory.
struct CgroupBranch {
  CgroupHierarchy hierarchy;  // with the controllers that are wanted
  std::string base;
  std::optional<CgroupDir> group;  // version 2: directly below `base`

  std::string leaf_path(unsigned number) const {
    return group ? group->path() + "/" + std::to_string(number)
                 : base + "/" + new_cgroup_name();
  }
};

struct CgroupPool::State {
  void find_branches();
  void add_branch(CgroupHierarchy hierarchy);
  std::unique_ptr<CgroupLeaf> make();
  void add_place(CgroupLeaf& leaf, const CgroupBranch& branch);

  Resources resources;
  std::string parent;
  std::mutex mutex;  // guards what is below
  std::vector<CgroupBranch> branches;
  std::vector<std::unique_ptr<CgroupLeaf>> free;
  bool given_up = false;
  bool found = false;
  unsigned made = 0;
};

void CgroupPool::State::add_branch(CgroupHierarchy hierarchy) {
  const std::vector<Need> needs = needs_of(resources);
  CgroupBranch branch{hierarchy, cgroup_base(hierarchy, parent), std::nullopt};
  sweep_cgroups(branch.base);
  if (hierarchy.version_2) {
    const bool asked = std::any_of(needs.begin(), needs.end(),
                                   [](const Need& n) { return n.asked_for; });
    enable_controllers(hierarchy, branch.base, hierarchy.controllers, asked);
    branch.group.emplace(branch.base + "/" + new_cgroup_name());
    const std::string& group = branch.group->path();
    if (parent.empty() && branch.base != hierarchy.own)
      copy_cgroup_limits(hierarchy.own, group);
    enable_controllers(hierarchy, group, hierarchy.controllers, false);
  }
  branches.push_back(std::move(branch));
}

// Those without a limit to set are left alone; memory and processes are
// counted in any case.
void CgroupPool::State::find_branches() {
  if (found) return;
  branches.clear();
  const std::vector<Need> needs = needs_of(resources);
  std::vector<CgroupHierarchy> wanted = cgroup_hierarchies();
  for (CgroupHierarchy& h : wanted) keep_wanted(needs, h);
  for (const Need& need : needs)
    if (need.asked_for &&
        std::none_of(wanted.begin(), wanted.end(),
                     [&](const auto& h) { return h.has(need.controller); }))
      throw IsolationError(std::string(need.flag) + ": no control group with " +
                           "the controller " + go_quote(need.controller) +
                           " can be seen from here");
  for (CgroupHierarchy& hierarchy : wanted)
    if (!hierarchy.controllers.empty()) add_branch(std::move(hierarchy));
  found = true;
}

void CgroupPool::State::add_place(CgroupLeaf& leaf,
                                  const CgroupBranch& branch) {
  const CgroupHierarchy& hierarchy = branch.hierarchy;
  leaf.places.push_back({hierarchy, CgroupDir(branch.leaf_path(made))});
  const std::string& directory = leaf.places.back().directory();
  if (hierarchy.has("cpuset") && !hierarchy.version_2)
    // A new group of version 1 has no processor and no memory node.
    for (const char* file : {"/cpuset.cpus", "/cpuset.mems"})
      set_cgroup_file(directory + file, cgroup_text(branch.base + file));
  const Resources wanted =
      branch.group ? within(resources, branch.group->path()) : resources;
  for (const auto& [file, value] : cgroup_settings(wanted, hierarchy.version_2))
    if (hierarchy.has(file.substr(0, file.find('.'))))
      set_cgroup_file(directory + "/" + file, value);
  if (hierarchy.version_2) {
    leaf.directory = open_path(directory, O_RDONLY | O_DIRECTORY);
    return;
  }
  // Not cgroup.procs: moving a whole process waits for an RCU grace period
  // (16 ms on a busy machine), a single thread moves at once.
  leaf.tasks.push_back(open_path(directory + "/tasks", O_WRONLY));
  leaf.join.push_back(leaf.tasks.back().get());
}

std::unique_ptr<CgroupLeaf> CgroupPool::State::make() {
  find_branches();
  auto leaf = std::make_unique<CgroupLeaf>();
  for (const CgroupBranch& branch : branches) add_place(*leaf, branch);
  ++made;
  return leaf;
}

CgroupPool::CgroupPool(Resources resources, std::string parent)
    : state_(std::make_unique<State>()) {
  state_->resources = std::move(resources);
  state_->parent = std::move(parent);
}

CgroupPool::~CgroupPool() = default;

CgroupLease CgroupPool::acquire() {
  const std::lock_guard lock(state_->mutex);
  std::unique_ptr<CgroupLeaf> leaf;
  if (!state_->free.empty()) {
    leaf = std::move(state_->free.back());
    state_->free.pop_back();
  } else if (!state_->given_up) {
    try {
      leaf = state_->make();
    } catch (const SystemError& e) {
      const std::vector<Need> needs = needs_of(state_->resources);
      const auto asked =
          std::find_if(needs.begin(), needs.end(),
                       [](const Need& n) { return n.asked_for; });
      if (asked != needs.end() || !state_->parent.empty())
        throw IsolationError(std::string(asked != needs.end()
                                             ? asked->flag
                                             : "--cgroup-parent") +
                             ": cannot make a control group: " + e.what());
      state_->given_up = true;  // nothing was asked for: the group above rules
    }
  }
  if (!leaf || leaf->places.empty()) return CgroupLease();
  for (const CgroupLeaf::Place& place : leaf->places) {
    if (place.hierarchy.has("memory")) {
      leaf->kills = memory_kills(place);
      // Counts from here on; version 2 cannot be reset for others than the
      // one who opened it, so there it is the largest of the leaf's RUNs.
      if (!place.hierarchy.version_2)
        set_cgroup_file(place.directory() + "/memory.max_usage_in_bytes", "0");
    }
    if (place.hierarchy.has("pids")) leaf->refusals = pids_refused(place);
  }
  return CgroupLease(*this, std::move(leaf));
}

CgroupLease::CgroupLease(CgroupPool& pool, std::unique_ptr<CgroupLeaf> leaf)
    : pool_(&pool), leaf_(std::move(leaf)) {}

CgroupLease::CgroupLease(CgroupLease&&) noexcept = default;

CgroupLease::~CgroupLease() {
  if (!leaf_) return;
  const std::lock_guard lock(pool_->state_->mutex);
  pool_->state_->free.push_back(std::move(leaf_));
}

std::span<const int> CgroupLease::join() const {
  return leaf_ ? std::span<const int>(leaf_->join) : std::span<const int>();
}

int CgroupLease::directory() const {
  return leaf_ ? leaf_->directory.get() : -1;
}

CgroupReport CgroupLease::report() const {
  CgroupReport report;
  if (!leaf_) return report;
  for (const CgroupLeaf::Place& place : leaf_->places) {
    if (place.hierarchy.has("memory")) {
      report.out_of_memory = memory_kills(place) > leaf_->kills;
      report.memory_limit = memory_limit(place);
      report.memory_peak =
          number_of(place.directory() + (place.hierarchy.version_2
                                             ? "/memory.peak"
                                             : "/memory.max_usage_in_bytes"))
              .value_or(0);
    }
    if (place.hierarchy.has("pids"))
      report.out_of_processes = pids_refused(place) > leaf_->refusals;
  }
  return report;
}

}  // namespace cbuild::runtime
