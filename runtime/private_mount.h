// Detached mounts that were cloned from the host's.
#pragma once

#include <cstdint>
#include <string>

namespace cbuild::runtime {

// Sets attributes (MOUNT_ATTR_*) on the detached mount `tree` and all below it,
// and makes them private: a clone of a mount that the host shares (systemd
// shares all) is shared too, so that what is mounted on it would be on the host
// as well, and no root could be pivoted to. `name` is for errors.
// Throws SystemError (mount_setattr, Linux 5.12).
void make_private(int tree, std::uint64_t attributes, const std::string& name);

}  // namespace cbuild::runtime
