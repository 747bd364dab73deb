#include "runtime/private_mount.h"

#include <fcntl.h>
#include <sys/mount.h>

#include "base/error.h"

namespace cbuild::runtime {

void make_private(int tree, std::uint64_t attributes, const std::string& name) {
  mount_attr change = {};
  change.attr_set = attributes;
  change.propagation = MS_PRIVATE;
  check(::mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &change,
                        sizeof change),
        "mount_setattr", name);
}

}  // namespace cbuild::runtime
