#include "runtime/cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <optional>

#include "base/dir.h"
#include "base/error.h"
#include "base/text.h"
#include "runtime/overlay.h"

namespace cbuild::runtime {

// A directory in each hierarchy that has to do with a limit.
struct CgroupLeaf {
  struct Place {
    CgroupHierarchy hierarchy;
    std::string directory;
  };
  std::vector<Place> places;
  std::vector<Fd> tasks;
  std::vector<int> join;
  Fd directory;
  std::uint64_t kills = 0;  // counted so far
  std::uint64_t refusals = 0;

  ~CgroupLeaf() {
    for (const Place& place : places) ::rmdir(place.directory.c_str());
  }
};

namespace {

constexpr std::string_view kPrefix = "cbuild.";
constexpr std::uint64_t kNoLimit = 1ull << 62;  // version 1 has a number for it

std::string text_of(const std::string& path) {
  return std::string(trim(read_file(path).value_or("")));
}

std::optional<std::uint64_t> number_of(const std::string& path) {
  return parse_number(text_of(path));
}

// The number after `key` and a blank at the start of a line.
std::uint64_t counter(const std::string& path, const std::string& key) {
  for (const std::string& line : split(text_of(path), '\n'))
    if (line.starts_with(key + " "))
      return parse_number(line.substr(key.size() + 1)).value_or(0);
  return 0;
}

// In one write: the kernel takes a value whole or not at all.
void set(const std::string& path, const std::string& value) {
  const Fd file = open_path(path, O_WRONLY);
  write_all(file.get(), value, path);
}

// Field 22 of /proc/<pid>/stat, counted after the name, which may hold blanks.
std::string start_time(const std::string& pid) {
  const std::string stat = text_of("/proc/" + pid + "/stat");
  const std::size_t end = stat.rfind(')');
  if (end == std::string::npos) return "";
  const std::vector<std::string> fields = split(stat.substr(end + 2), ' ');
  return fields.size() > 19 ? fields[19] : "";
}

std::string pid_namespace() {
  struct stat st = {};
  check(::stat("/proc/self/ns/pid", &st), "stat", "pid namespace");
  return std::to_string(st.st_ino);
}

std::string own_name() {
  const std::string pid = std::to_string(::getpid());
  return std::string(kPrefix) + pid_namespace() + "." + pid + "." +
         start_time(pid) + ".";
}

// A process of another pid namespace cannot be seen: its leaves are its own.
bool is_leftover(const std::string& name) {
  const std::vector<std::string> parts = split(name, '.');
  return name.starts_with(kPrefix) && parts.size() == 5 &&
         parts[1] == pid_namespace() && start_time(parts[2]) != parts[3];
}

void remove_leftover(const std::string& directory) {
  for (int tries = 0; tries < 100; ++tries) {
    for (const std::string& pid :
         split(text_of(directory + "/cgroup.procs"), '\n'))
      if (const auto number = parse_number(pid); number && *number > 1)
        ::kill(static_cast<pid_t>(*number), SIGKILL);
    if (::rmdir(directory.c_str()) == 0 || errno != EBUSY) return;
    ::usleep(1000);
  }
}

void sweep(const std::string& base) {
  const Fd dir = open_path(base, O_RDONLY | O_DIRECTORY);
  for (const std::string& name : list_dir(dir.get()))
    if (is_leftover(name)) remove_leftover(base + "/" + name);
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

// A sibling must not have more than the group that cbuild was put in.
Resources within(Resources resources, const std::string& own) {
  resources.memory = smaller(resources.memory, number_of(own + "/memory.max"));
  const auto pids = number_of(own + "/pids.max");
  if (pids && (resources.pids <= 0 ||
               static_cast<std::uint64_t>(resources.pids) > *pids))
    resources.pids = static_cast<std::int64_t>(*pids);
  return resources;
}

std::uint64_t memory_limit(const CgroupLeaf::Place& place) {
  const CgroupHierarchy& h = place.hierarchy;
  const char* file = h.version_2 ? "/memory.max" : "/memory.limit_in_bytes";
  std::uint64_t limit = 0;
  for (std::string directory = place.directory;
       directory.size() >= h.mount.size();
       directory = directory.substr(0, directory.rfind('/'))) {
    const auto value = number_of(directory + file);
    if (value && *value < kNoLimit) limit = smaller(limit, value);
  }
  return limit;
}

std::uint64_t memory_kills(const CgroupLeaf::Place& place) {
  return counter(
      place.directory + (place.hierarchy.version_2 ? "/memory.events"
                                                   : "/memory.oom_control"),
      "oom_kill");
}

std::uint64_t pids_refused(const CgroupLeaf::Place& place) {
  return counter(place.directory + "/pids.events", "max");
}

}  // namespace

struct CgroupPool::State {
  std::unique_ptr<CgroupLeaf> make();
  void add_place(CgroupLeaf& leaf, const CgroupHierarchy& hierarchy);
  std::string base_of(const CgroupHierarchy& hierarchy) const;

  Resources resources;
  std::string parent;
  std::mutex mutex;  // guards what is below
  std::vector<std::unique_ptr<CgroupLeaf>> free;
  bool given_up = false;
  bool swept = false;
  unsigned made = 0;
};

std::string CgroupPool::State::base_of(const CgroupHierarchy& h) const {
  if (!parent.empty()) {
    const std::string base = h.mount + clean_path("/" + parent);
    make_dirs(base);
    return base;
  }
  if (!h.version_2 || h.own == h.mount) return h.own;
  return h.own.substr(0, h.own.rfind('/'));
}

void CgroupPool::State::add_place(CgroupLeaf& leaf,
                                  const CgroupHierarchy& hierarchy) {
  const std::string base = base_of(hierarchy);
  if (!swept) sweep(base);
  if (hierarchy.version_2)
    for (const std::string& controller : hierarchy.controllers) {
      const std::string enabled = text_of(base + "/cgroup.subtree_control");
      const std::vector<std::string> list = split(enabled, ' ');
      if (std::find(list.begin(), list.end(), controller) == list.end())
        set(base + "/cgroup.subtree_control", "+" + controller);
    }
  const std::string directory = base + "/" + own_name() + std::to_string(made);
  check(::mkdir(directory.c_str(), 0755), "mkdir", directory);
  leaf.places.push_back({hierarchy, directory});
  if (hierarchy.has("cpuset") && !hierarchy.version_2)
    // A new group of version 1 has no processor and no memory node.
    for (const char* file : {"/cpuset.cpus", "/cpuset.mems"})
      set(directory + file, text_of(base + file));
  const Resources wanted = hierarchy.version_2 && parent.empty()
                               ? within(resources, hierarchy.own)
                               : resources;
  for (const auto& [file, value] : cgroup_settings(wanted, hierarchy.version_2))
    if (hierarchy.has(file.substr(0, file.find('.'))))
      set(directory + "/" + file, value);
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
  auto leaf = std::make_unique<CgroupLeaf>();
  const std::vector<Need> needs = needs_of(resources);
  std::vector<CgroupHierarchy> wanted = cgroup_hierarchies();
  // Those without a limit to set are left alone; memory and processes are
  // counted in any case.
  for (CgroupHierarchy& h : wanted)
    std::erase_if(h.controllers, [&](const std::string& name) {
      return std::none_of(needs.begin(), needs.end(), [&](const Need& need) {
        const bool always = name == "memory" || name == "pids";
        return name == need.controller && (need.asked_for || always);
      });
    });
  for (const Need& need : needs)
    if (need.asked_for &&
        std::none_of(wanted.begin(), wanted.end(),
                     [&](const auto& h) { return h.has(need.controller); }))
      throw IsolationError(std::string(need.flag) + ": no control group with " +
                           "the controller " + go_quote(need.controller) +
                           " can be seen from here");
  for (const CgroupHierarchy& hierarchy : wanted)
    if (!hierarchy.controllers.empty()) add_place(*leaf, hierarchy);
  swept = true;
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
        set(place.directory + "/memory.max_usage_in_bytes", "0");
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
          number_of(place.directory + (place.hierarchy.version_2
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
