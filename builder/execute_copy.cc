// COPY, ADD and WORKDIR.
#include <fcntl.h>

#include "base/cgroups.h"
#include "base/dir.h"
#include "builder/executor.h"
#include "builder/secret_scan.h"
#include "builder/workspace.h"

namespace cbuild::builder {
namespace {

// A source from the network, fetched and opened.
struct OpenRemote {
  explicit OpenRemote(RemoteTree fetched)
      : tree(std::move(fetched)),
        view(cbuild::builder::view_of(tree)),
        root(open_path(tree.directory, O_RDONLY | O_DIRECTORY)) {}

  RemoteTree tree;
  FileView view;
  Fd root;
};

}  // namespace

store::LayerId Executor::copy(StepId id, const CopyStep& copy,
                              const StepInputs& inputs) {
  const CopySpec& spec = copy.spec;
  std::map<std::size_t, OpenRemote> remotes;
  for (const auto& [number, source] : copy.remotes)
    remotes.emplace(
        number, remotes_.fetch(source, fetch_progress(reporter_, id, source)));
  const bool all_remote = remotes.size() == spec.sources.size();
  const Origin here = all_remote ? Origin() : open_origin(copy.origin, inputs);
  const auto view = all_remote ? nullptr : inputs.view_of(copy.origin);

  std::vector<CopyOrigin> origins;
  for (std::size_t i = 0; i < spec.sources.size(); ++i) {
    const auto remote = remotes.find(i);
    if (remote == remotes.end())
      origins.push_back({view.get(), here.root.get(), std::nullopt});
    else
      origins.push_back({&remote->second.view, remote->second.root.get(),
                         remote->second.tree.path});
  }
  // A linked copy knows nothing of what is below it.
  Workspace workspace(
      environment_.store, directories_.take(), disposal_,
      copy.link ? std::vector<std::string>() : trees_below(inputs),
      environment_.runner.view(), kept_);
  CopyResult copied;
  workspace.write([&](int root) { copied = copy_files(spec, origins, root); });
  refuse_secrets(request_, workspace.overlay().upper);
  return workspace.take(usable_cpus(), std::move(copied));
}

store::LayerId Executor::workdir(const WorkdirStep& workdir,
                                 const StepInputs& inputs) {
  Workspace workspace(environment_.store, directories_.take(), disposal_,
                      trees_below(inputs), environment_.runner.view(), kept_);
  workspace.write([&](int root) {
    const FileOwner owner = resolve_owner(root, workdir.user);
    make_directories(root, workdir.path, owner.uid, owner.gid,
                     plan_.source_date_epoch);
  });
  return workspace.take(1);
}

}  // namespace cbuild::builder
