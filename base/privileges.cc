#include "base/privileges.h"

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "base/dir.h"

namespace cbuild {
namespace {

std::vector<IdExtent> extents_of(const char* file) {
  std::vector<IdExtent> extents;
  std::istringstream lines(read_file(file).value_or(""));
  for (IdExtent e; lines >> e.inside >> e.outside >> e.count;)
    extents.push_back(e);
  return extents;
}

}  // namespace

bool has_capability(int capability) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) == -1) return false;
  return data[capability / 32].effective >> (capability % 32) & 1;
}

bool in_first_user_namespace() {
  constexpr ino_t first = 0xEFFFFFFD;  // PROC_USER_INIT_INO, since Linux 3.8
  struct stat st;
  // A kernel without user namespaces has no such file.
  return ::stat("/proc/self/ns/user", &st) == -1 || st.st_ino == first;
}

bool may_make_any_file() {
  return in_first_user_namespace() && has_capability(CAP_CHOWN) &&
         has_capability(CAP_FOWNER) && has_capability(CAP_MKNOD) &&
         has_capability(CAP_SETFCAP) && has_capability(CAP_SYS_ADMIN);
}

std::vector<IdExtent> uid_extents() { return extents_of("/proc/self/uid_map"); }
std::vector<IdExtent> gid_extents() { return extents_of("/proc/self/gid_map"); }

bool is_mapped(const std::vector<IdExtent>& extents, std::uint32_t id) {
  return std::any_of(extents.begin(), extents.end(), [id](const IdExtent& e) {
    return id >= e.inside && id - e.inside < e.count;
  });
}

}  // namespace cbuild
