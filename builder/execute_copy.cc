// COPY, ADD and WORKDIR.
#include <fcntl.h>

#include <thread>

#include "base/dir.h"
#include "builder/executor.h"
#include "builder/workspace.h"

namespace cbuild::builder {

store::LayerId Executor::copy(const CopyStep& copy, const StepInputs& inputs) {
  // A linked copy knows nothing of what is below it.
  Workspace workspace(
      environment_.store, disposal_,
      copy.link ? std::vector<std::string>() : trees(inputs.below));
  const Fd source = open_origin(copy.origin, inputs);
  {
    const Fd destination = workspace.mount();
    copy_files(copy.spec, *inputs.view_of(copy.origin), source.get(),
               destination.get());
  }
  return workspace.take(std::thread::hardware_concurrency());
}

store::LayerId Executor::workdir(const WorkdirStep& workdir,
                                 const StepInputs& inputs) {
  Workspace workspace(environment_.store, disposal_, trees(inputs.below));
  {
    const Fd root = workspace.mount();
    const FileOwner owner = resolve_owner(root.get(), workdir.user);
    make_directories(root.get(), workdir.path, owner.uid, owner.gid,
                     plan_.source_date_epoch);
  }
  return workspace.take(1);
}

}  // namespace cbuild::builder
