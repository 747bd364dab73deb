#include "base/overlay_marks.h"

#include <fcntl.h>
#include <sys/xattr.h>

#include <cerrno>

#include "base/dir.h"
#include "base/error.h"

namespace cbuild {
namespace {

constexpr const char* kOpaque[] = {"user.overlay.opaque",
                                   "trusted.overlay.opaque"};
constexpr const char* kWhiteout[] = {"user.overlay.whiteout",
                                     "trusted.overlay.whiteout"};

}  // namespace

bool is_whiteout_at(int dir, const std::string& name, const struct stat& st) {
  if (S_ISDIR(st.st_mode) || st.st_size != 0) return false;
  // There is no getxattrat(2) before Linux 6.13.
  return is_whiteout("/proc/self/fd/" + std::to_string(dir) + "/" + name, st);
}

bool is_whiteout(const std::string& path, const struct stat& st) {
  if (S_ISCHR(st.st_mode)) return st.st_rdev == 0;
  if (!S_ISREG(st.st_mode) || st.st_size != 0) return false;
  for (const char* mark : kWhiteout)
    if (::lgetxattr(path.c_str(), mark, nullptr, 0) >= 0) return true;
  return false;
}

void make_whiteout_at(int dir, const std::string& name) {
  if (::mknodat(dir, name.c_str(), S_IFCHR, 0) == 0) return;
  if (errno != EPERM) throw_system_error("mknod", name);
  const Fd mark = openat_path(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
  check(::fsetxattr(mark.get(), kWhiteout[0], "y", 1, 0), "setxattr", name);
  // Without it overlayfs does not look for the attribute.
  if (!is_opaque(dir))
    check(::fsetxattr(dir, kOpaque[0], "x", 1, 0), "setxattr", kOpaque[0]);
}

bool is_opaque(int dir) {
  char value[2];
  for (const char* mark : kOpaque)
    if (::fgetxattr(dir, mark, value, sizeof value) == 1 && value[0] == 'y')
      return true;
  return false;
}

void mark_opaque(int dir) {
  if (::fsetxattr(dir, kOpaque[0], "y", 1, 0) == 0) return;
  if (errno != ENOTSUP) throw_system_error("setxattr", kOpaque[0]);
  check(::fsetxattr(dir, kOpaque[1], "y", 1, 0), "setxattr", kOpaque[1]);
}

bool is_overlay_xattr(std::string_view name) {
  return name.starts_with("trusted.overlay.") ||
         name.starts_with("user.overlay.") ||
         name.starts_with("user.fuseoverlayfs.");
}

}  // namespace cbuild
