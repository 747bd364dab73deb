// Users and groups as the image's own /etc/passwd and /etc/group have them.
//
// Follows runc (moby/sys/user GetExecUser): both files are read inside the root
// with symbolic links kept in, at most 10 MiB; absent, or no regular file, is
// empty. Stateless; any thread. Throws Error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace cbuild::runtime {

struct PasswdEntry {
  std::string name;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string home;
};

struct GroupEntry {
  std::string name;
  std::uint32_t gid = 0;
  std::vector<std::string> members;
};

// A field that is missing or no number is empty or 0, as moby/sys/user has it;
// blank lines, and in group lines that start with '#', are passed over.
std::vector<PasswdEntry> read_passwd(int root);
std::vector<GroupEntry> read_group(int root);

// No such user or group. The builder reports it as a failed RUN.
class UserError : public Error {
 public:
  using Error::Error;
};

// Who a process runs as.
struct UserIds {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups;  // supplementary
  std::string home = "/";             // from passwd of the uid, else "/"
};

// Resolves USER ("", "name", "uid", "name:group", "uid:gid", ":group"). A pair
// of two numbers (or "root") is taken as it is, without supplementary groups;
// anything else is looked up. Throws UserError "unable to find user foo: no
// matching entries in passwd file" and its like for groups.
UserIds resolve_user(int root, std::string_view user);

}  // namespace cbuild::runtime
