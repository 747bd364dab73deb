#include "runtime/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace cbuild::runtime {
namespace {

// Capabilities are named by the kernel in two words of 32 bits.
using Words = __user_cap_data_struct[2];

int capset(std::uint64_t permitted, std::uint64_t inheritable) noexcept {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  Words data = {};
  for (int word = 0; word < 2; ++word) {
    data[word].permitted = static_cast<__u32>(permitted >> (32 * word));
    data[word].effective = data[word].permitted;
    data[word].inheritable = static_cast<__u32>(inheritable >> (32 * word));
  }
  return static_cast<int>(::syscall(SYS_capset, &header, data));
}

// What the process may make effective.
int permitted(std::uint64_t& set) noexcept {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  Words data = {};
  if (::syscall(SYS_capget, &header, data) == -1) return -1;
  set = data[0].permitted | std::uint64_t{data[1].permitted} << 32;
  return 0;
}

}  // namespace

int drop_bounding_capabilities(std::uint64_t keep) noexcept {
  for (int capability = 0; capability < 64; ++capability) {
    if (keep >> capability & 1) continue;
    if (::prctl(PR_CAPBSET_DROP, capability) == 0) continue;
    // EINVAL: beyond the last capability this kernel knows.
    return errno == EINVAL ? 0 : -1;
  }
  return 0;
}

int set_capabilities(std::uint64_t keep) noexcept {
  // cbuild itself may run with fewer, and a user other than root holds none
  // any more: what is left of `keep` is enough.
  std::uint64_t held = 0;
  return permitted(held) == -1 ? -1 : capset(held & keep, 0);
}

int raise_all_capabilities() noexcept {
  std::uint64_t all = 0;
  if (permitted(all) == -1 || capset(all, all) == -1) return -1;
  for (int capability = 0; capability < 64; ++capability) {
    if (!(all >> capability & 1)) continue;
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == -1)
      return -1;
  }
  return 0;
}

}  // namespace cbuild::runtime
