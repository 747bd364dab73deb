// Which control groups this process is in, version 1 and 2 (cgroups(7)).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cbuild {

// One mounted hierarchy. Both kinds may be there at once.
struct CgroupHierarchy {
  bool version_2 = false;
  std::vector<std::string> controllers;  // "memory", "pids", ...
  std::string mount;                     // "/sys/fs/cgroup/memory"
  std::string own;  // directory of this process's group; at or below `mount`

  bool has(std::string_view controller) const;
};

// Those that are mounted and that this process's group can be seen in. Reads
// /proc/self/mountinfo and /proc/self/cgroup.
std::vector<CgroupHierarchy> cgroup_hierarchies();

// The same from texts in the format of these files; of version 2 the
// controllers stay empty.
std::vector<CgroupHierarchy> parse_cgroups(std::string_view mountinfo,
                                           std::string_view cgroups);

// Processors that this process may use at once, at least 1: those of its
// affinity mask, and no more than the quotas of its groups allow. Looked up
// once.
unsigned usable_cpus();

}  // namespace cbuild
