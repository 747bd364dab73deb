#include "runtime/confinement.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "base/dir.h"
#include "base/error.h"
#include "base/privileges.h"
#include "runtime/landlock.h"
#include "runtime/try_apart.h"

namespace cbuild::runtime {
namespace {

bool may_confine_itself() {
  return has_capability(CAP_SYS_ADMIN) ||
         ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

int load_filter_for_all() noexcept {
  sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program = {1, all};
  return static_cast<int>(
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}

std::string why_no_landlock(int code) {
  if (code == ENOSYS) return "this kernel has no Landlock";
  if (code == EOPNOTSUPP) return "Landlock is not enabled in this kernel";
  return "Landlock is refused (" + reason_of(code) + ")";
}

std::string remedy_of(int code) {
  if (code == ENOSYS) return "Linux 6.12 or later";
  if (code == EOPNOTSUPP) return "boot with landlock in lsm=";
  return "a seccomp profile that allows landlock_create_ruleset, "
         "landlock_add_rule and landlock_restrict_self";
}

void find_landlock(Confinement& found) {
  const int version = landlock_version();
  int code = version == -1 ? errno : 0;
  if (version >= kLandlockLeast) {
    const Fd root = open_path("/", O_PATH | O_DIRECTORY);
    const Fd rules = make_landlock_rules(root.get(), version);
    code =
        errno_apart([&] { return code_of(restrict_by_landlock(rules.get())); });
    if (code == 0) found.landlock = version;
  }
  if (found.landlock >= kLandlockScopes) return;
  found.remedy = remedy_of(code == 0 ? ENOSYS : code);
  if (code != 0)
    found.lacking = why_no_landlock(code);
  else
    found.lacking = "Landlock is of version " + std::to_string(version) +
                    (version < kLandlockLeast
                         ? ", too old to be used"
                         : ", which knows no signals and abstract sockets");
}

}  // namespace

Confinement find_confinement() {
  Confinement found;
  if (!may_confine_itself()) {
    found.lacking = "it takes CAP_SYS_ADMIN or no_new_privs";
    found.remedy =
        "docker run --security-opt no-new-privileges; Kubernetes: "
        "securityContext: {allowPrivilegeEscalation: false}; or setpriv "
        "--no-new-privs cbuild ...: su and sudo are of no use in a RUN then";
    return found;
  }
  find_landlock(found);
  found.seccomp =
      errno_apart([] { return code_of(load_filter_for_all()); }) == 0;
  if (!found.seccomp && found.lacking.empty())
    found.lacking = "a seccomp filter of its own is refused";
  return found;
}

std::string describe(const Confinement& confinement) {
  if (confinement.lacking.empty())
    return "Landlock and seccomp keep RUN from other processes";
  if (confinement.landlock != 0)
    return "Landlock keeps RUN from other processes, but not wholly (" +
           confinement.lacking + ")";
  return "nothing keeps RUN from signalling other processes (no Landlock: " +
         confinement.lacking + ")";
}

// The kernel's log, which takes no capability to be opened for writing and is
// among no container's devices. Nothing is written.
bool can_open_devices(const std::string& directory) {
  const TempDir temp(directory, "cbuild-device-");
  const std::string path = temp.path() + "/kmsg";
  if (::mknod(path.c_str(), S_IFCHR | 0600, ::makedev(1, 11)) == -1)
    return false;
  const Fd opened(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return opened || (errno != EPERM && errno != EACCES);
}

}  // namespace cbuild::runtime
