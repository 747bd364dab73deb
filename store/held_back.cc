#include "store/held_back.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "base/dir.h"
#include "base/error.h"
#include "base/privileges.h"
#include "store/xattrs.h"

namespace cbuild::store {
namespace {

// Throws unless the last call was refused for want of privileges.
void expect_refusal(std::string_view call, const std::string& subject) {
  const bool refusal = errno == EPERM || errno == EINVAL || errno == EACCES;
  if (!refusal || !may_hold_back()) throw_system_error(call, subject);
}

std::string proc_path(int dir, const std::string& name) {
  return "/proc/self/fd/" + std::to_string(dir) + "/" + name;
}

std::string text_of(const HeldBack::Owner& owner) {
  return std::to_string(owner.uid) + ":" + std::to_string(owner.gid) + "@" +
         std::to_string(owner.disk_uid) + ":" + std::to_string(owner.disk_gid);
}

std::string text_of(const HeldBack::Device& device) {
  return (device.type == EntryType::block_device ? "b " : "c ") +
         std::to_string(device.major) + " " + std::to_string(device.minor);
}

}  // namespace

bool may_hold_back() {
  static const bool may = !may_make_any_file();
  return may;
}

bool give(int fd, std::uint32_t uid, std::uint32_t gid,
          const std::string& subject) {
  if (::fchown(fd, uid, gid) == 0) {
    if (may_hold_back()) ::fremovexattr(fd, kHeldOwner);
    return true;
  }
  expect_refusal("chown", subject);
  struct stat st;
  check(::fstat(fd, &st), "stat", subject);
  const std::string value =
      text_of(HeldBack::Owner{uid, gid, st.st_uid, st.st_gid});
  return ::fsetxattr(fd, kHeldOwner, value.data(), value.size(), 0) == 0;
}

bool give_at(int dir, const std::string& name, std::uint32_t uid,
             std::uint32_t gid, const std::string& subject) {
  if (::fchownat(dir, name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) == 0) {
    if (may_hold_back())
      ::lremovexattr(proc_path(dir, name).c_str(), kHeldOwner);
    return true;
  }
  expect_refusal("chown", subject);
  const std::optional<struct stat> st = lstat_at(dir, name);
  if (!st) throw SystemError(ENOENT, "stat", subject);
  const std::string value =
      text_of(HeldBack::Owner{uid, gid, st->st_uid, st->st_gid});
  return ::lsetxattr(proc_path(dir, name).c_str(), kHeldOwner, value.data(),
                     value.size(), 0) == 0;
}

bool make_device_at(int dir, const std::string& name,
                    const HeldBack::Device& device,
                    const std::string& subject) {
  const mode_t type =
      device.type == EntryType::block_device ? S_IFBLK : S_IFCHR;
  if (::mknodat(dir, name.c_str(), type | 0600,
                ::makedev(device.major, device.minor)) == 0)
    return true;
  expect_refusal("mknod", subject);
  // Something has to stand there, or a lower layer's file shows.
  const Fd stub = openat_path(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
  const std::string value = text_of(device);
  return ::fsetxattr(stub.get(), kHeldDevice, value.data(), value.size(), 0) ==
         0;
}

bool set_capability(int fd, const std::string& value,
                    const std::string& subject) {
  const std::string plain = plain_capability(value);
  if (::fsetxattr(fd, "security.capability", plain.data(), plain.size(), 0) ==
      0)
    return true;
  if (errno != EOPNOTSUPP && errno != EPERM && errno != EACCES)
    throw_system_error("setxattr", subject);
  return may_hold_back() &&
         ::fsetxattr(fd, kHeldCapability, plain.data(), plain.size(), 0) == 0;
}

void apply_held_back(const HeldBack& held, IndexEntry& entry) {
  if (held.owner) {
    entry.uid = held.owner->uid;
    entry.gid = held.owner->gid;
  }
  if (held.device) {
    entry.type = held.device->type;
    entry.dev_major = held.device->major;
    entry.dev_minor = held.device->minor;
    entry.size = 0;
    entry.content.reset();
  }
  if (held.capability)
    entry.xattrs.try_emplace("security.capability",
                             plain_capability(*held.capability));
}

void apply_held_back(const HeldBackPaths& held, IndexEntry& entry) {
  const auto found = held.find(entry.path);
  if (found != held.end()) apply_held_back(found->second, entry);
}

}  // namespace cbuild::store
