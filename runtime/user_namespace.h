// Makes this process root of a user namespace of its own: how an ordinary user
// gets to mount and to own files of several users (user_namespaces(7)).
//
// Inside, the user is uid 0. With subordinate ids (/etc/subuid, /etc/subgid and
// the setuid programs newuidmap and newgidmap) ids from 1 on are those;
// without, 0 is the only one. Root without CAP_SYS_ADMIN keeps the ids it has.
// The process gets a mount namespace of its own too. It must have one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/privileges.h"

namespace cbuild::runtime {

struct UserNamespace {
  bool entered = false;
  int error = 0;          // errno of unshare(2), where not entered
  std::uint64_t ids = 1;  // how many user ids there are inside
  std::uint64_t group_ids = 1;
  std::string why_single;  // where one of them is 1
};

// Enters one, or says what the kernel answered: the process is as before then.
// Throws IsolationError where the namespace was made and no id could be mapped.
UserNamespace enter_user_namespace();

// A mount namespace only, for root of a user namespace that somebody else made
// (`unshare -r`). False where that is refused.
bool enter_mount_namespace();

// Extents of the user in the text of /etc/subuid or subgid ("name:start:count",
// or the number of the user in place of the name), as a map's lines for ids
// from 1 on. Lines that are none are passed over, as newuidmap does.
std::vector<IdExtent> subordinate_ids(const std::string& text,
                                      const std::string& name,
                                      std::uint32_t uid);

}  // namespace cbuild::runtime
