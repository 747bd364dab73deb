// Limits as the files of a control group have them (kernel documentation,
// admin-guide/cgroup-v1/ and cgroup-v2.rst).
#include <algorithm>

#include "base/dir.h"
#include "base/text.h"
#include "runtime/cgroup.h"

namespace cbuild::runtime {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

constexpr std::uint64_t kDefaultPeriod = 100000;  // microseconds

std::int64_t default_pids() {
  std::uint64_t most = 32768;
  for (const char* path :
       {"/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max"})
    most = std::min(
        most, parse_number(trim(read_file(path).value_or(""))).value_or(most));
  return static_cast<std::int64_t>(most / 2);
}

std::string or_max(std::int64_t value) {
  return value < 0 ? "max" : std::to_string(value);
}

// Version 1 counts memory and swap together, version 2 swap alone.
void add_memory(const Resources& r, bool version_2, Settings& files) {
  if (r.memory != 0)
    files.emplace_back(version_2 ? "memory.max" : "memory.limit_in_bytes",
                       std::to_string(r.memory));
  if (r.memory_swap == 0) return;
  if (!version_2)
    files.emplace_back("memory.memsw.limit_in_bytes",
                       std::to_string(r.memory_swap));
  else
    files.emplace_back(
        "memory.swap.max",
        or_max(r.memory_swap < 0
                   ? -1
                   : r.memory_swap - static_cast<std::int64_t>(r.memory)));
}

void add_cpu(const Resources& r, bool version_2, Settings& files) {
  // 2..262144 becomes 1..10000, as runc and crun do.
  if (r.cpu_shares != 0)
    files.emplace_back(
        version_2 ? "cpu.weight" : "cpu.shares",
        std::to_string(version_2 ? 1 + (r.cpu_shares - 2) * 9999 / 262142
                                 : r.cpu_shares));
  if (r.cpu_quota == 0 && r.cpu_period == 0) return;
  if (version_2) {
    files.emplace_back(
        "cpu.max",
        or_max(r.cpu_quota == 0 ? -1 : r.cpu_quota) + " " +
            std::to_string(r.cpu_period != 0 ? r.cpu_period : kDefaultPeriod));
    return;
  }
  if (r.cpu_period != 0)
    files.emplace_back("cpu.cfs_period_us", std::to_string(r.cpu_period));
  if (r.cpu_quota != 0)
    files.emplace_back("cpu.cfs_quota_us", std::to_string(r.cpu_quota));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> cgroup_settings(
    const Resources& r, bool version_2) {
  Settings files;
  add_memory(r, version_2, files);
  add_cpu(r, version_2, files);
  if (!r.cpuset_cpus.empty()) files.emplace_back("cpuset.cpus", r.cpuset_cpus);
  if (!r.cpuset_mems.empty()) files.emplace_back("cpuset.mems", r.cpuset_mems);
  files.emplace_back("pids.max", or_max(r.pids == 0 ? default_pids() : r.pids));
  return files;
}

}  // namespace cbuild::runtime
