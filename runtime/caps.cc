#include "runtime/caps.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace cbuild::runtime {
namespace {

// Capabilities are named by the kernel in two words of 32 bits.
int capset(std::uint64_t permitted, std::uint64_t inheritable) noexcept {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  for (int word = 0; word < 2; ++word) {
    data[word].permitted = static_cast<__u32>(permitted >> (32 * word));
    data[word].effective = data[word].permitted;
    data[word].inheritable = static_cast<__u32>(inheritable >> (32 * word));
  }
  return static_cast<int>(::syscall(SYS_capset, &header, data));
}

// False beyond the last capability this kernel knows.
bool in_bounding_set(int capability) noexcept {
  return ::prctl(PR_CAPBSET_READ, capability) == 1;
}

}  // namespace

int drop_bounding_capabilities(std::uint64_t keep) noexcept {
  for (int capability = 0; capability < 64; ++capability) {
    if (keep >> capability & 1 || !in_bounding_set(capability)) continue;
    if (::prctl(PR_CAPBSET_DROP, capability) == -1) return -1;
  }
  return 0;
}

int set_capabilities(std::uint64_t keep) noexcept {
  // Not held where cbuild itself runs with fewer: what is left is enough.
  std::uint64_t held = 0;
  for (int capability = 0; capability < 64; ++capability)
    if (keep >> capability & 1 && in_bounding_set(capability))
      held |= std::uint64_t{1} << capability;
  if (::geteuid() != 0) held = 0;
  return capset(held, 0);
}

int raise_all_capabilities() noexcept {
  std::uint64_t all = 0;
  for (int capability = 0; capability < 64; ++capability)
    if (in_bounding_set(capability)) all |= std::uint64_t{1} << capability;
  if (capset(all, all) == -1) return -1;
  for (int capability = 0; capability < 64; ++capability) {
    if (!(all >> capability & 1)) continue;
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == -1)
      return -1;
  }
  return 0;
}

}  // namespace cbuild::runtime
