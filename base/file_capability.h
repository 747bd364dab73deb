// The value of the extended attribute security.capability.
#pragma once

#include <string>

namespace cbuild {

// Name of the attribute.
inline constexpr const char* kFileCapability = "security.capability";

// What belongs into an image: a value of revision 3 names the user namespace in
// which it was set (linux/capability.h, vfs_ns_cap_data) by an id of the
// building machine and is ignored elsewhere, so that it becomes one of revision
// 2. Other values are returned as they are.
std::string portable_capability(std::string value);

}  // namespace cbuild
