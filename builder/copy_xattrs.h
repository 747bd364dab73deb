// Extended attributes as COPY and ADD treat them.
#pragma once

#include <map>
#include <string>

namespace cbuild::builder {

using Xattrs = std::map<std::string, std::string>;

// Whether a copy keeps the attribute: file capabilities, user.* and trusted.*
// but for overlayfs' own. Labels of the host (security.selinux, security.ima),
// ACLs and what file systems invent mean nothing in an image.
bool copied_xattr(const std::string& name);

// Of an open file, those that a copy keeps. A file system without any has none.
Xattrs read_xattrs(int fd, const std::string& subject);

// Sets them on an open file. False where the file system or the kernel refuses
// them (EOPNOTSUPP, EPERM); throws SystemError for other failures.
bool write_xattrs(int fd, const Xattrs& xattrs, const std::string& subject);

}  // namespace cbuild::builder
