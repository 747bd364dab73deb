#include "base/file_capability.h"

#include <endian.h>
#include <linux/capability.h>

#include <cstdint>
#include <cstring>

namespace cbuild {

std::string portable_capability(std::string value) {
  if (value.size() != XATTR_CAPS_SZ_3) return value;
  std::uint32_t magic;
  std::memcpy(&magic, value.data(), sizeof magic);
  magic = le32toh(magic);
  if ((magic & VFS_CAP_REVISION_MASK) != VFS_CAP_REVISION_3) return value;
  magic = htole32((magic & ~VFS_CAP_REVISION_MASK) | VFS_CAP_REVISION_2);
  std::memcpy(value.data(), &magic, sizeof magic);
  value.resize(XATTR_CAPS_SZ_2);  // the namespace's id is at the end
  return value;
}

}  // namespace cbuild
