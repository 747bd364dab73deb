// Makes ready, in the parent, what a RUN gets mounted besides its root:
// detached clones of directories, and a tmpfs with small files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "runtime/child.h"
#include "runtime/overlay.h"
#include "runtime/runner.h"

namespace cbuild::runtime {

// One mount of the plan with the descriptors it keeps open. Move-only.
struct MountSource {
  std::string target;
  bool directory = true;
  Fd tree;  // see ChildMount
  Fd source;
  int attach = -1;               // what `source` lies in, to be attached first
  std::uint64_t attributes = 0;  // MOUNT_ATTR_ for `source`
  std::string tmpfs;             // options
  unsigned long tmpfs_flags = 0;

  ChildMount child() const;
};

// Files that are never on a disk: one tmpfs, swapped out only where the kernel
// is older than 6.4, gone with the last mount of one of them.
class MemoryFiles {
 public:
  MemoryFiles();

  // A read-only mount of a new file, nosuid and nodev, noexec without an x bit.
  MountSource add(const SecretMount& file);
  // A new socket that `listener` is set to listen on.
  MountSource add(const SocketMount& socket, Fd& listener);

 private:
  MountSource mount_of(const std::string& name, const std::string& target);

  Fd root_;
  int count_ = 0;
};

// The devices of /dev as bind mounts of the host's: what a user namespace has
// in place of mknod(2).
std::vector<MountSource> device_sources();

// Throws Error naming the target where the source cannot be had.
// `kind`: how writes that are discarded are kept from it.
MountSource bind_source(const BindMount& mount, ViewKind kind);
MountSource tmpfs_source(const TmpfsMount& mount);

}  // namespace cbuild::runtime
