#include "runtime/findings.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "base/dir.h"
#include "base/error.h"
#include "base/privileges.h"
#include "runtime/fuse_view.h"
#include "runtime/isolation.h"
#include "runtime/outer_limits.h"
#include "runtime/overlay.h"
#include "runtime/try_apart.h"

namespace cbuild::runtime {

int ask_inside(const std::function<int()>& body) {
  return errno_apart([&] {
    return enter_isolation({}).rung == Isolation::Rung::none ? kNoRung : body();
  });
}

std::string reason(int code) {
  return code == kNoRung ? "nothing to try it in" : reason_of(code);
}

std::string denied_by(int code) {
  std::string text = reason(code);
  if (has_seccomp_filter()) text += "; a seccomp filter is active";
  if (const std::string profile = apparmor_profile(); !profile.empty())
    text += "; AppArmor profile " + profile;
  return text;
}

Finding overlay_finding(const std::string& directory, bool chroot) {
  const TempDir temp(directory, "cbuild-doctor-");
  for (const char* name : {"/lower", "/upper", "/work"})
    make_dirs(temp.path() + name);
  const int code = ask_inside([&] {
    mount_overlay({{temp.path() + "/lower"},
                   temp.path() + "/upper",
                   temp.path() + "/work"});
    return 0;
  });
  Finding f{"overlay", code == 0, "overlayfs mounts on " + directory, ""};
  if (code == 0) return f;
  f.detail = directory + ": " + denied_by(code) +
             ": fuse-overlayfs or copies take its place";
  f.remedy = chroot
                 ? kContainerRemedy
                 : "put the store on ext4, xfs or tmpfs (--root, or a volume)";
  return f;
}

Finding fuse_finding(const std::string& directory, bool chroot) {
  Finding f{"fuse-overlayfs", false, "", ""};
  if (in_first_user_namespace() && has_capability(CAP_SYS_ADMIN)) {
    f.detail = "not needed by root";
    f.allowed = true;
    return f;
  }
  if (chroot) return {f.name, false, "of no use without a user namespace", ""};
  const TempDir temp(directory, "cbuild-doctor-");
  const int code = ask_inside([&] {
    const std::string why = fuse_refusal(temp.path());
    return why.empty()                                ? 0
           : ::access("/dev/fuse", R_OK | W_OK) == -1 ? errno
                                                      : ENOEXEC;
  });
  f.allowed = code == 0;
  if (f.allowed) {
    f.detail = "it mounts on " + directory;
    return f;
  }
  f.detail = code == ENOEXEC ? "the program does not work here, or is not there"
                             : "/dev/fuse: " + denied_by(code);
  f.remedy = code == ENOEXEC ? "apt-get install fuse-overlayfs"
                             : "docker run --device /dev/fuse";
  return f;
}

Finding mknod_finding(const std::string& directory) {
  const TempDir temp(directory, "cbuild-doctor-");
  const std::string path = temp.path() + "/null";
  const int code = ask_inside([&] {
    return code_of(::mknod(path.c_str(), S_IFCHR | 0600, ::makedev(1, 3)));
  });
  Finding f{"mknod", code == 0, "devices can be made", ""};
  if (code != 0)
    f.detail = reason(code) + ": devices are kept in the layer's index only";
  return f;
}

Finding xattr_finding(const std::string& directory) {
  const TempDir temp(directory, "cbuild-doctor-");
  const std::string path = temp.path() + "/file";
  open_path(path, O_WRONLY | O_CREAT, 0600);
  // Revision 2, effective, CAP_NET_RAW.
  const char value[20] = {1, 0, 0, 2, 0, 0x20};
  const int code = ask_inside([&] {
    check(::setxattr(path.c_str(), "user.cbuild.doctor", "y", 1, 0), "setxattr",
          "");
    return code_of(::setxattr(path.c_str(), "security.capability", value,
                              sizeof value, 0));
  });
  Finding f{"setxattr", code == 0, "user.* and security.capability", ""};
  if (code != 0) {
    f.detail = directory + ": " + reason(code);
    f.remedy = "put the store on a file system with extended attributes";
  }
  return f;
}

}  // namespace cbuild::runtime
