// What this process may do, asked of the kernel.
//
// Answers are about the process as it is now; they change when it enters a user
// namespace. Any thread. Nothing throws but for a /proc that cannot be read.
#pragma once

#include <cstdint>
#include <vector>

namespace cbuild {

// Whether the capability (CAP_CHOWN, ...) is effective in the process's own
// user namespace.
bool has_capability(int capability);

// True in the user namespace that the machine started with: a capability then
// is one over the whole machine.
bool in_first_user_namespace();

// True where no owner, device or attribute can be refused for want of
// privileges: root in the first user namespace with all that takes.
bool may_make_any_file();

// A line of /proc/self/uid_map or gid_map: user_namespaces(7).
struct IdExtent {
  std::uint32_t inside;
  std::uint32_t outside;
  std::uint32_t count;
};
std::vector<IdExtent> uid_extents();
std::vector<IdExtent> gid_extents();

// Whether a file can be given to `id`.
bool is_mapped(const std::vector<IdExtent>& extents, std::uint32_t id);

}  // namespace cbuild
