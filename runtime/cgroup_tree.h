// Where a process makes control groups, and what groups above need for it.
//
//   version 1   <own>/cbuild.<pid namespace>.<pid>.<start time>.<n>
//   version 2   <base>/cbuild.<pid namespace>.<pid>.<start time>.<n>/<leaf>
//
// In version 2 a group with processes has no children with controllers, so
// <base> is the group above cbuild's own, and what a process makes there gets
// the limits of its own group. That it is a group with leaves and no leaf has
// another use: controllers that leaves have cannot be taken away from above,
// which systemd does where no unit of its own needs them.
// Seen from a container's cgroup namespace nothing is above: <base> is then
// the own group, and its processes go to <own>/init, as in docker's own image
// for docker in docker.
#pragma once

#include <string>
#include <vector>

#include "base/cgroups.h"

namespace cbuild::runtime {

// A group, removed by the destructor (if no process is in it). Move-only.
class CgroupDir {
 public:
  // Throws SystemError.
  explicit CgroupDir(std::string path);
  CgroupDir(CgroupDir&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  ~CgroupDir();

  const std::string& path() const { return path_; }

 private:
  std::string path_;  // empty: moved from
};

// "cbuild...": another one at each call.
std::string new_cgroup_name();

// Below which groups are made: `parent` ("/builds"; made where it is missing)
// if not empty.
std::string cgroup_base(const CgroupHierarchy& hierarchy,
                        const std::string& parent);

// Kills what is left of cbuild processes that are no more in groups directly
// below `base`, and removes these. Those of other pid namespaces stay.
void sweep_cgroups(const std::string& base);

// Version 2: children of `base` have `controllers`, enabled where they are not
// at each level from the hierarchy's mount point on. `may_move`: processes of
// the own group may be moved out of the way. Throws SystemError.
void enable_controllers(const CgroupHierarchy& hierarchy,
                        const std::string& base,
                        const std::vector<std::string>& controllers,
                        bool may_move);

// Version 2: gives group `to` the limits that group `from` has.
void copy_cgroup_limits(const std::string& from, const std::string& to);

// What a file says, without the line end; "" where it is missing.
std::string cgroup_text(const std::string& path);
// The words of a file such as cgroup.controllers; none where it is missing.
std::vector<std::string> cgroup_words(const std::string& path);

// In one write: the kernel takes a value whole or not at all.
void set_cgroup_file(const std::string& path, const std::string& value);

}  // namespace cbuild::runtime
