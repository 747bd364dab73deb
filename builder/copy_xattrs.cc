#include "builder/copy_xattrs.h"

#include <sys/xattr.h>

#include <cerrno>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/file_capability.h"

namespace cbuild::builder {
namespace {

bool unsupported(int code) { return code == EOPNOTSUPP || code == EPERM; }

// Names, each ended by a zero byte.
std::string list_names(int fd, const std::string& subject) {
  std::string names(256, '\0');
  for (;;) {
    const ssize_t n = ::flistxattr(fd, names.data(), names.size());
    if (n >= 0) {
      names.resize(static_cast<std::size_t>(n));
      return names;
    }
    if (unsupported(errno)) return {};
    if (errno != ERANGE) throw_system_error("listxattr", subject);
    names.resize(names.size() * 4);
  }
}

// nullopt where it vanished or may not be read.
std::optional<std::string> read_value(int fd, const std::string& name,
                                      const std::string& subject) {
  std::string value(256, '\0');
  for (;;) {
    const ssize_t n = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
    if (n >= 0) {
      value.resize(static_cast<std::size_t>(n));
      return value;
    }
    if (errno == ENODATA || unsupported(errno)) return std::nullopt;
    if (errno != ERANGE) throw_system_error("getxattr", subject);
    value.resize(value.size() * 4);
  }
}

}  // namespace

bool copied_xattr(const std::string& name) {
  if (name == kFileCapability) return true;
  if (name.starts_with("user."))
    return !name.starts_with("user.overlay.") &&
           !name.starts_with("user.cbuild.");  // store/held_back.h
  return name.starts_with("trusted.") && !name.starts_with("trusted.overlay.");
}

Xattrs read_xattrs(int fd, const std::string& subject) {
  Xattrs found;
  const std::string names = list_names(fd, subject);
  for (std::size_t at = 0; at < names.size();) {
    const std::string name(names.c_str() + at);
    at += name.size() + 1;
    if (!copied_xattr(name)) continue;
    std::optional<std::string> value = read_value(fd, name, subject);
    if (value && name == kFileCapability)
      value = portable_capability(std::move(*value));
    if (value) found.emplace(name, std::move(*value));
  }
  return found;
}

bool write_xattrs(int fd, const Xattrs& xattrs, const std::string& subject) {
  bool all = true;
  for (const auto& [name, value] : xattrs) {
    if (::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) == 0)
      continue;
    if (!unsupported(errno)) throw_system_error("setxattr", subject);
    all = false;
  }
  return all;
}

}  // namespace cbuild::builder
