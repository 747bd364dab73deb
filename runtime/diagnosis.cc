#include "runtime/diagnosis.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "base/dir.h"
#include "base/error.h"
#include "base/privileges.h"
#include "base/text.h"
#include "runtime/cgroup.h"
#include "runtime/chroot_runner.h"
#include "runtime/confinement.h"
#include "runtime/findings.h"
#include "runtime/isolation.h"
#include "runtime/net.h"
#include "runtime/try_apart.h"
#include "runtime/user_namespace.h"

namespace cbuild::runtime {
namespace {

std::string first_line(const char* path) {
  std::string text = read_file(path).value_or("");
  return text.substr(0, text.find_first_of(std::string("\n\0", 2)));
}

// The sysctl that forbids user namespaces, as "name=value" that allows them.
std::string blocking_sysctl() {
  if (first_line("/proc/sys/user/max_user_namespaces") == "0")
    return "user.max_user_namespaces=28633";
  if (first_line("/proc/sys/kernel/unprivileged_userns_clone") == "0")
    return "kernel.unprivileged_userns_clone=1";
  if (first_line("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") ==
      "1")
    return "kernel.apparmor_restrict_unprivileged_userns=0";
  return "";
}

Finding root_finding() {
  Finding f{"root", in_first_user_namespace() && has_capability(CAP_SYS_ADMIN),
            "", ""};
  if (f.allowed)
    f.detail = "CAP_SYS_ADMIN over the machine";
  else if (!in_first_user_namespace())
    f.detail = "this is a user namespace";
  else
    f.detail = "no CAP_SYS_ADMIN, uid " + std::to_string(::geteuid());
  return f;
}

Finding user_namespace_finding() {
  const int code =
      errno_apart([] { return code_of(::unshare(CLONE_NEWUSER)); });
  Finding f{"user-namespace", code == 0, "unshare(CLONE_NEWUSER) works", ""};
  const std::string sysctl = blocking_sysctl();
  if (!sysctl.empty()) f.remedy = "sysctl -w " + sysctl;
  if (code == 0) return f;
  f.detail = "unshare: " + denied_by(code);
  if (f.remedy.empty()) f.remedy = kContainerRemedy;
  return f;
}

Finding subordinate_finding() {
  Finding f{"subordinate-ids", true, "", ""};
  if (::geteuid() == 0) {
    f.detail = "not needed by uid 0";
    return f;
  }
  const int code = errno_apart([] {
    const UserNamespace entered = enter_user_namespace();
    if (!entered.entered) return kNoRung;
    return entered.why_single.empty() ? 0 : EPERM;
  });
  f.allowed = code == 0;
  if (f.allowed) {
    f.detail = "newuidmap and newgidmap map a range";
    return f;
  }
  f.detail = code == kNoRung ? reason(code)
                             : "only one id: files and commands of other users "
                               "are kept in the image, but cannot run";
  const std::string uid = std::to_string(::geteuid());
  f.remedy = "apt-get install uidmap; echo " + uid +
             ":100000:65536 | tee -a /etc/subuid /etc/subgid";
  return f;
}

Finding mount_finding() {
  const int code = ask_inside([] {
    check(::unshare(CLONE_NEWNS), "unshare", "");
    check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "mount",
          "");
    return code_of(::mount("tmpfs", "/tmp", "tmpfs", 0, nullptr));
  });
  Finding f{"mount", code == 0, "a tmpfs can be mounted", ""};
  if (code == 0) return f;
  f.detail = denied_by(code);
  f.remedy = kContainerRemedy;
  return f;
}

Finding proc_finding(bool chroot) {
  const int code = ask_inside([] {
    check(::unshare(CLONE_NEWPID | CLONE_NEWNS), "unshare", "");
    // Only a process in the new namespace can mount its proc.
    return errno_apart([] {
      const int context = check(::fsopen("proc", 0), "fsopen", "proc");
      check(::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0),
            "fsconfig", "");
      return code_of(::fsmount(context, 0, 0));
    });
  });
  Finding f{"proc", code == 0, "a proc for a new pid namespace", ""};
  if (code == 0) return f;
  f.detail = denied_by(code);
  if (chroot)
    return {f.name, false, f.detail + "; a RUN has an empty /proc",
            kContainerRemedy};
  if (code == EPERM)
    f.detail +=
        "; parts of /proc are masked here: a RUN has the outer one, read-only";
  f.remedy =
      "docker run --security-opt systempaths=unconfined; Kubernetes: "
      "securityContext: {procMount: Unmasked} with hostUsers: false";
  return f;
}

Finding chroot_finding() {
  const std::string missing = missing_for_chroot();
  Finding f{"chroot", missing.empty(), "what it needs is there", ""};
  if (missing.empty()) return f;
  f.detail = "no " + missing;
  f.remedy = in_first_user_namespace()
                 ? "run as root of the container, with the capabilities that "
                   "docker run gives by default"
                 : kContainerRemedy;
  return f;
}

constexpr const char* kNotNeeded = "not needed, as chroot is not what RUN gets";

bool takes_chroot() {
  return errno_apart([] {
           const bool chroot =
               enter_isolation({}).rung == Isolation::Rung::chroot;
           return chroot ? 0 : kNoRung;
         }) == 0;
}

Finding confinement_finding(bool needed) {
  if (!needed) return {"landlock", true, kNotNeeded, ""};
  const Confinement found = find_confinement();
  return {"landlock", found.lacking.empty(), describe(found), found.remedy};
}

Finding device_finding(const std::string& directory, bool needed) {
  if (!needed) return {"device-control", true, kNotNeeded, ""};
  if (!can_open_devices(directory))
    return {"device-control", true, "RUN opens this container's devices only",
            ""};
  return {"device-control", false,
          "RUN can open any device that it makes a node of",
          "a container without --privileged"};
}

// Why a RUN cannot have this limit, or "".
std::string limit_refused(const Resources& limit) {
  try {
    CgroupPool(limit, "").acquire();
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

Finding cgroup_finding() {
  Finding f{"cgroups", false, "version 1", ""};
  if (::access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0)
    f.detail = "version 2";
  const std::pair<const char*, Resources> limits[] = {
      {"memory", {.memory = std::uint64_t{1} << 30}},
      {"cpu", {.cpu_quota = 100000}},
      {"pids", {.pids = 100}}};
  std::string can, cannot, why;
  for (const auto& [name, limit] : limits) {
    const std::string refused = limit_refused(limit);
    std::string& list = refused.empty() ? can : cannot;
    list += (list.empty() ? "" : ", ") + std::string(name);
    if (why.empty()) why = refused;
  }
  f.allowed = cannot.empty();
  if (!can.empty()) f.detail += ", and a RUN can be limited in " + can;
  if (!cannot.empty()) f.detail += "; not in " + cannot + ": " + why;
  if (!f.allowed)
    f.remedy = "systemd-run --user --scope -p Delegate=yes cbuild ...";
  return f;
}

Finding network_finding(bool chroot) {
  constexpr const char* kWays[] = {"veth", "slirp4netns", "pasta"};
  constexpr int kFirst = 200;  // no errno
  const int code = ask_inside([&] {
    const std::string way = way_out_of_networks();
    for (int i = 0; i < 3; ++i)
      if (way == kWays[i]) return kFirst + i;
    return EPERM;
  });
  Finding f{"network", code >= kFirst && code < kFirst + 3, "", ""};
  if (f.allowed) {
    f.detail = std::string("RUN has its own network, with a way out by ") +
               (code == kFirst ? "a veth pair and NAT" : kWays[code - kFirst]);
    return f;
  }
  if (chroot)
    return {f.name, false,
            "RUN uses this container's network; --network=none is refused",
            kContainerRemedy};
  f.detail = "RUN uses the host's network, if not --network=none";
  const bool tun = ::access("/dev/net/tun", R_OK | W_OK) == 0;
  f.remedy = tun ? "apt-get install slirp4netns (or passt)"
                 : "make /dev/net/tun usable (chmod 666; docker run --device "
                   "/dev/net/tun), and apt-get install slirp4netns";
  return f;
}

Finding binfmt_finding() {
  Finding f{"binfmt", false, "", ""};
  const char* directory = "/proc/sys/fs/binfmt_misc";
  std::string names;
  if (const auto dir = try_openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY))
    for (const std::string& name : list_dir(dir->get()))
      if (name.starts_with("qemu-")) names += " " + name.substr(5);
  f.allowed = !names.empty();
  f.detail = f.allowed ? "other platforms:" + names
                       : "RUN only for this machine's own platform";
  if (!f.allowed) f.remedy = "apt-get install qemu-user-static binfmt-support";
  return f;
}

}  // namespace

Diagnosis diagnose(const std::string& directory) {
  const bool chroot = takes_chroot();
  Diagnosis result;
  result.findings = {root_finding(),
                     user_namespace_finding(),
                     subordinate_finding(),
                     mount_finding(),
                     proc_finding(chroot),
                     overlay_finding(directory, chroot),
                     fuse_finding(directory, chroot),
                     chroot_finding(),
                     confinement_finding(chroot),
                     device_finding(directory, chroot),
                     mknod_finding(directory),
                     xattr_finding(directory),
                     cgroup_finding(),
                     network_finding(chroot),
                     binfmt_finding()};
  const Isolation taken = enter_isolation({});
  result.rung = name_of(taken.rung);
  result.can_run = taken.rung == Isolation::Rung::chroot;
  if (taken.rung != Isolation::Rung::none)
    for (const Finding& finding : result.findings)
      if (finding.name == "mount" && finding.allowed) result.can_run = true;
  result.text = taken.text.empty() ? "isolation: root" : taken.text;
  return result;
}

}  // namespace cbuild::runtime
