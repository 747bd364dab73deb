// A view of layers by the program fuse-overlayfs (1.0 or later): for a user
// namespace in which the kernel's overlayfs is refused and /dev/fuse is not.
//
// The program runs in our mount namespace, mounts, and the mount is taken off
// its place at once: it lives as long as a descriptor of it, and the program
// as long as the mount. It dies with cbuild (PR_SET_PDEATHSIG).
#pragma once

#include <sys/types.h>

#include <string>

#include "runtime/layer_view.h"

namespace cbuild::runtime {

class FuseView final : public LayerView {
 public:
  explicit FuseView(OverlaySpec spec);
  ~FuseView() override;
  Fd open() override;
  // Waits for the program's end and makes its marks overlayfs's.
  void finish() override;

 private:
  bool ended();
  Fd wait_for_mount(const std::string& place);
  [[noreturn]] void throw_no_mount() const;

  OverlaySpec spec_;
  pid_t program_ = -1;
  int status_ = 0;  // once it has ended
};

// Why there is none for files in `directory`, which is empty; "" where there
// is. Leaves something in it.
std::string fuse_refusal(const std::string& directory);

}  // namespace cbuild::runtime
