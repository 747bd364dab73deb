// Executes one step: mounts what is below it, does the work, takes the layer.
//
//   execute_run.cc   RUN through runtime::Runner
//   execute_copy.cc  COPY, ADD and WORKDIR through builder/copy_files.h
//
// Thread-safe: one call per step, several at once.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/dir.h"
#include "builder/base_images.h"
#include "builder/build.h"
#include "builder/cache_mounts.h"
#include "builder/disposal.h"
#include "builder/plan.h"
#include "builder/remote_cache.h"
#include "builder/remote_sources.h"
#include "builder/reporter.h"
#include "builder/workspace.h"
#include "runtime/kept_trees.h"
#include "runtime/layer_view.h"

namespace cbuild::builder {

struct MountResources;

// Layers below a step, and those of the steps it takes files from.
struct StepInputs {
  std::optional<StepId> base;         // the image that is lowest
  std::vector<store::LayerId> below;  // lowest first
  std::function<std::vector<store::LayerId>(StepId)> layers_of;
  // What `origin` shows.
  std::function<std::shared_ptr<const FileView>(const FileOrigin&)> view_of;
};

class Executor {
 public:
  Executor(const Plan& plan, const BuildRequest& request,
           BuildEnvironment& environment, BaseImages& bases,
           RemoteSources& remotes, RemoteCache& cache, Reporter& reporter,
           const std::atomic<bool>& stop);

  // Returns the layer the step made. Throws RunFailed and what the parts throw.
  store::LayerId execute(const Step& step, const StepInputs& inputs);

  // No step comes any more. What they left is removed meanwhile.
  void end() { disposal_.begin(); }

  // Makes the tarballs of those layers that come from a base image or a cache
  // be here.
  void fetch(const std::vector<store::LayerId>& layers);
  // Makes the layers' indexes be computable: fetches what has no tree here.
  void prepare_indexes(const std::vector<store::LayerId>& layers);

 private:
  store::LayerId run(const Step& step, const RunStep& run,
                     const StepInputs& inputs);
  store::LayerId copy(StepId id, const CopyStep& copy,
                      const StepInputs& inputs);
  store::LayerId workdir(const WorkdirStep& workdir, const StepInputs& inputs);
  // Whether a step stands on it.
  bool has_next(const Step& step) const;
  // Directories to mount, top first; base layers are fetched and unpacked.
  std::vector<std::string> trees_below(const StepInputs& inputs);
  std::vector<std::string> trees(const std::vector<store::LayerId>& layers);
  // An origin's files, for reading.
  struct Origin {
    TempDir work;  // the view's
    std::unique_ptr<runtime::LayerView> view;
    Fd root;
  };
  Origin open_origin(const FileOrigin& origin, const StepInputs& inputs);
  // Keeps what a failed RUN left; returns its id.
  std::string keep(const Step& step, const RunStep& run,
                   const StepInputs& inputs, const runtime::RunSpec& spec,
                   const MountResources& resources, const std::string& reason);
  void add_mounts(const RunStep& run, const StepInputs& inputs,
                  runtime::RunSpec& spec, MountResources& resources);
  void add_bind(const MountStep& mount, const StepInputs& inputs,
                runtime::RunSpec& spec, MountResources& resources);
  void add_cache(const MountStep& mount, const StepInputs& inputs,
                 runtime::RunSpec& spec, MountResources& resources);
  void add_secret(const MountStep& mount, runtime::RunSpec& spec,
                  MountResources& resources);
  void add_ssh(const MountStep& mount, runtime::RunSpec& spec);

  const Plan& plan_;
  const BuildRequest& request_;
  BuildEnvironment& environment_;
  BaseImages& bases_;
  RemoteSources& remotes_;
  RemoteCache& cache_;
  Reporter& reporter_;
  const std::atomic<bool>& stop_;
  CacheMounts caches_;
  Disposal disposal_;  // of directories that steps are done with
  StepDirectories directories_;
  runtime::KeptTrees kept_;
  SshAgents ssh_agents_;
};

}  // namespace cbuild::builder
