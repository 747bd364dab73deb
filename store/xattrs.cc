#include "store/xattrs.h"

#include <endian.h>
#include <linux/capability.h>
#include <sys/xattr.h>

#include <cerrno>
#include <cstring>
#include <sstream>

#include "base/error.h"
#include "base/file_capability.h"
#include "base/overlay_marks.h"

namespace cbuild::store {
namespace {

constexpr const char* kOpaque[] = {"user.overlay.opaque",
                                   "trusted.overlay.opaque"};

// A file by descriptor, or by path without following a link at its end.
struct Handle {
  int fd;
  std::string path;  // used where fd is -1

  ssize_t list(char* buffer, std::size_t size) const {
    return fd >= 0 ? ::flistxattr(fd, buffer, size)
                   : ::llistxattr(path.c_str(), buffer, size);
  }
  ssize_t get(const char* name, char* buffer, std::size_t size) const {
    return fd >= 0 ? ::fgetxattr(fd, name, buffer, size)
                   : ::lgetxattr(path.c_str(), name, buffer, size);
  }
  int set(const std::string& name, const std::string& value) const {
    return fd >= 0
               ? ::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0)
               : ::lsetxattr(path.c_str(), name.c_str(), value.data(),
                             value.size(), 0);
  }
};

// There is no setxattrat(2) before Linux 6.13, and a path may be too long for
// the calls that take one: through /proc it is short.
Handle handle_at(int dir, const std::string& name) {
  return {-1, "/proc/self/fd/" + std::to_string(dir) + "/" + name};
}

// Calls until the buffer is large enough; it may grow in between.
template <typename Call>
std::string whole(std::string buffer, const char* what, Call&& call) {
  for (;;) {
    const ssize_t n = call(buffer.data(), buffer.size());
    if (n >= 0) {
      buffer.resize(static_cast<std::size_t>(n));
      return buffer;
    }
    if (errno == ENOTSUP) return {};
    if (errno != ERANGE) throw_system_error(what, "");
    buffer.resize(buffer.size() * 4);
  }
}

bool belongs_to_layer(std::string_view name) {
  return name == kFileCapability || name.starts_with("user.");
}

bool is_held_xattr(std::string_view name) {
  return name == kHeldOwner || name == kHeldDevice || name == kHeldCapability;
}

void take_held(const std::string& name, const std::string& value,
               HeldBack& held) {
  std::istringstream text(value);
  char kind = 0;
  if (name == kHeldOwner) {
    HeldBack::Owner owner;
    char at = 0, between = 0;
    text >> owner.uid >> kind >> owner.gid >> at >> owner.disk_uid >> between >>
        owner.disk_gid;
    if (text) held.owner = owner;
  } else if (name == kHeldDevice) {
    HeldBack::Device device;
    text >> kind >> device.major >> device.minor;
    if (!text) return;
    if (kind == 'b') device.type = EntryType::block_device;
    if (kind == 'b' || kind == 'c') held.device = device;
  } else {
    held.capability = value;
  }
}

XattrList read(const Handle& file) {
  XattrList found;
  char names[1024];
  // Most files have none: no allocation for them.
  const ssize_t n = file.list(names, sizeof names);
  if (n == 0 || (n < 0 && errno == ENOTSUP)) return found;
  const std::string list =
      n > 0 ? std::string(names, static_cast<std::size_t>(n))
            : whole(std::string(4 * sizeof names, '\0'), "listxattr",
                    [&](char* b, std::size_t s) { return file.list(b, s); });
  for (std::size_t at = 0; at < list.size();) {
    const std::string name = list.c_str() + at;
    at += name.size() + 1;
    const bool opaque = name == kOpaque[0] || name == kOpaque[1];
    const bool held = may_hold_back() && is_held_xattr(name);
    if (!opaque && !held &&
        (is_reserved_xattr(name) || !belongs_to_layer(name)))
      continue;
    std::string value = whole(
        std::string(256, '\0'), "getxattr",
        [&](char* b, std::size_t s) { return file.get(name.c_str(), b, s); });
    // "x" says that the directory may hold whiteouts in xattrs, no more.
    if (opaque)
      found.opaque = found.opaque || value == "y";
    else if (name == "security.capability")
      found.kept.emplace(name, plain_capability(std::move(value)));
    else if (held)
      take_held(name, value, found.held);
    else
      found.kept.emplace(name, name == kFileCapability
                                   ? portable_capability(std::move(value))
                                   : std::move(value));
  }
  return found;
}

void write(const Handle& file, const Xattrs& xattrs) {
  for (const auto& [name, value] : xattrs) {
    if (is_reserved_xattr(name) || file.set(name, value) == 0) continue;
    const bool refused = errno == ENOTSUP || errno == EPERM ||
                         errno == EACCES || errno == EINVAL;
    if (!refused) throw_system_error("setxattr", name);
    if (name == "security.capability") file.set(kHeldCapability, value);
  }
}

}  // namespace

bool is_reserved_xattr(std::string_view name) {
  return is_overlay_xattr(name) || name.starts_with("user.cbuild.");
}

std::string plain_capability(std::string value) {
  if (value.size() != sizeof(vfs_ns_cap_data)) return value;
  vfs_ns_cap_data data;
  std::memcpy(&data, value.data(), sizeof data);
  if ((le32toh(data.magic_etc) & VFS_CAP_REVISION_MASK) != VFS_CAP_REVISION_3)
    return value;
  const std::uint32_t flags = le32toh(data.magic_etc) & VFS_CAP_FLAGS_MASK;
  data.magic_etc = htole32(VFS_CAP_REVISION_2 | flags);
  std::memcpy(value.data(), &data, sizeof data);
  value.resize(sizeof(vfs_cap_data));
  return value;
}

XattrList read_xattrs(int fd) { return read({fd, {}}); }

XattrList read_xattrs_at(int dir, const std::string& name) {
  return read(handle_at(dir, name));
}

void write_xattrs(int fd, const Xattrs& xattrs) { write({fd, {}}, xattrs); }

void write_xattrs_at(int dir, const std::string& name, const Xattrs& xattrs) {
  if (!xattrs.empty()) write(handle_at(dir, name), xattrs);
}

}  // namespace cbuild::store
