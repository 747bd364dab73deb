#include "runtime/mount_points.h"

#include <fcntl.h>

#include <cerrno>

#include "base/dir.h"
#include "base/error.h"

namespace cbuild::runtime {
namespace {

constexpr struct {
  const char* path;
  bool directory;
} kMountPoints[] = {
    {"proc", true},       {"dev", true},
    {"sys", true},        {"etc", true},  // before what is in it
    {"etc/hosts", false}, {"etc/resolv.conf", false},
};

void make(int root, const char* path, bool directory) {
  if (directory) {
    if (::mkdirat(root, path, 0755) == -1 && errno != EEXIST)
      throw_system_error("mkdir", path);
    check(::fchmodat(root, path, 0755, 0), "chmod", path);  // not the umask's
  } else {
    const Fd file = openat_path(root, path, O_WRONLY | O_CREAT, 0644);
    check(::fchmod(file.get(), 0644), "chmod", path);
  }
}

}  // namespace

MountPoints::MountPoints(std::string directory)
    : directory_(std::move(directory)) {
  make_dirs(directory_, 0755);
  const Fd root = open_path(directory_, O_RDONLY | O_DIRECTORY);
  struct stat st;
  check(::fstat(root.get(), &st), "stat", directory_);
  device_ = st.st_dev;
  for (const auto& point : kMountPoints) {
    make(root.get(), point.path, point.directory);
    check(::fstatat(root.get(), point.path, &st, AT_SYMLINK_NOFOLLOW), "stat",
          point.path);
    inodes_.insert(st.st_ino);
  }
}

OverlaySpec MountPoints::below(OverlaySpec spec) const {
  struct stat upper;
  if (spec.lowers.empty() || spec.kind != ViewKind::overlay) return spec;
  check(::stat(spec.upper.c_str(), &upper), "stat", spec.upper);
  if (upper.st_dev == device_) spec.lowers.push_back(directory_);
  return spec;
}

}  // namespace cbuild::runtime
