#include "base/cgroups.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/dir.h"
#include "base/text.h"

namespace cbuild {
namespace {

struct MountLine {
  std::string root, point, type, options;
};

// "36 35 98:0 ROOT POINT opts shared:1 - TYPE source OPTIONS" (proc(5)).
std::optional<MountLine> mount_line(const std::string& line) {
  const std::size_t dash = line.find(" - ");
  if (dash == std::string::npos) return std::nullopt;
  const std::vector<std::string> left = split(line.substr(0, dash), ' ');
  const std::vector<std::string> right = split(line.substr(dash + 3), ' ');
  if (left.size() < 5 || right.size() < 3) return std::nullopt;
  return MountLine{left[3], left[4], right[0], right[2]};
}

bool is_member(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// "4:memory:/a" for a hierarchy with these mount options, "0::/a" for version
// 2; nullopt where no line is about it.
std::optional<std::string> own_path(const std::vector<std::string>& lines,
                                    const MountLine& mount,
                                    std::vector<std::string>& controllers) {
  const std::vector<std::string> options = split(mount.options, ',');
  for (const std::string& line : lines) {
    const std::vector<std::string> fields = split(line, ':');
    if (fields.size() < 3) continue;
    const std::vector<std::string> names = split(fields[1], ',');
    const bool found = mount.type == "cgroup2"
                           ? fields[1].empty()
                           : !fields[1].empty() && is_member(options, names[0]);
    if (!found) continue;
    if (mount.type == "cgroup") controllers = names;
    return line.substr(fields[0].size() + fields[1].size() + 2);
  }
  return std::nullopt;
}

// The quota of one group in processors, or nullopt.
std::optional<double> quota_of(const CgroupHierarchy& cgroup,
                               const std::string& directory) {
  std::string quota, period;
  if (cgroup.version_2) {
    const std::vector<std::string> words =
        split(trim(read_file(directory + "/cpu.max").value_or("")), ' ');
    if (words.size() != 2) return std::nullopt;
    quota = words[0];
    period = words[1];
  } else {
    quota = trim(read_file(directory + "/cpu.cfs_quota_us").value_or(""));
    period = trim(read_file(directory + "/cpu.cfs_period_us").value_or(""));
  }
  const auto numerator = parse_number(quota);  // not for "max" and "-1"
  const auto denominator = parse_number(period);
  if (!numerator || !denominator || *denominator == 0) return std::nullopt;
  return static_cast<double>(*numerator) / static_cast<double>(*denominator);
}

}  // namespace

bool CgroupHierarchy::has(std::string_view controller) const {
  return is_member(controllers, controller);
}

std::vector<CgroupHierarchy> parse_cgroups(std::string_view mountinfo,
                                           std::string_view cgroups) {
  const std::vector<std::string> groups = split(cgroups, '\n');
  std::vector<CgroupHierarchy> found;
  for (const std::string& line : split(mountinfo, '\n')) {
    if (line.find(" - cgroup") == std::string::npos) continue;
    const auto mount = mount_line(line);
    if (!mount || (mount->type != "cgroup" && mount->type != "cgroup2"))
      continue;
    CgroupHierarchy cgroup;
    cgroup.version_2 = mount->type == "cgroup2";
    cgroup.mount = mount->point;
    const auto path = own_path(groups, *mount, cgroup.controllers);
    if (!path) continue;
    // Only part of the hierarchy may be mounted: what is above is not seen.
    const std::string root = mount->root == "/" ? "" : mount->root;
    if (path->starts_with(root))
      cgroup.own = clean_path(cgroup.mount + "/" + path->substr(root.size()));
    else
      cgroup.own = cgroup.mount;
    found.push_back(std::move(cgroup));
  }
  return found;
}

std::vector<CgroupHierarchy> cgroup_hierarchies() {
  std::vector<CgroupHierarchy> found =
      parse_cgroups(read_file("/proc/self/mountinfo").value_or(""),
                    read_file("/proc/self/cgroup").value_or(""));
  for (CgroupHierarchy& cgroup : found)
    if (cgroup.version_2)
      cgroup.controllers = split(
          trim(read_file(cgroup.own + "/cgroup.controllers").value_or("")),
          ' ');
  return found;
}

namespace {

unsigned count_cpus() {
  cpu_set_t mask;
  double cpus = 1;
  if (::sched_getaffinity(0, sizeof mask, &mask) == 0) cpus = CPU_COUNT(&mask);
  for (const CgroupHierarchy& cgroup : cgroup_hierarchies()) {
    if (!cgroup.has("cpu")) continue;
    for (std::string directory = cgroup.own;
         directory.size() >= cgroup.mount.size();
         directory = directory.substr(0, directory.rfind('/')))
      if (const auto quota = quota_of(cgroup, directory))
        cpus = std::min(cpus, *quota);
  }
  return std::max(1u, static_cast<unsigned>(std::ceil(cpus)));
}

}  // namespace

unsigned usable_cpus() {
  static const unsigned count = count_cpus();
  return count;
}

}  // namespace cbuild
