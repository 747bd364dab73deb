// The steps of child.cc that mount. 0, or -1 with errno set and, where it
// helps, `subject` pointing to the path concerned.
#pragma once

#include "runtime/child.h"

namespace cbuild::runtime {

struct StepContext {
  ChildPlan& plan;
  const char* subject = "";
};

int make_mounts_private(StepContext& context) noexcept;
int clone_sources(StepContext& context) noexcept;
int make_proc_and_sys(StepContext& context) noexcept;
int pivot_into_root(StepContext& context) noexcept;
int mount_proc(StepContext& context) noexcept;
int mount_dev(StepContext& context) noexcept;
int mount_sys(StepContext& context) noexcept;
int mount_rest(StepContext& context) noexcept;
int mask_paths(StepContext& context) noexcept;

// mkdir -p of the path's parents and, if `directory`, itself; else the file.
int make_path(const char* path, bool directory) noexcept;

}  // namespace cbuild::runtime
