#include "builder/executor.h"

#include <fcntl.h>

#include <algorithm>

#include "base/cgroups.h"
#include "base/dir.h"
#include "base/workers.h"
#include "builder/workspace.h"

namespace cbuild::builder {

Executor::Executor(const Plan& plan, const BuildRequest& request,
                   BuildEnvironment& environment, BaseImages& bases,
                   RemoteSources& remotes, RemoteCache& cache,
                   Reporter& reporter, const std::atomic<bool>& stop)
    : plan_(plan),
      request_(request),
      environment_(environment),
      bases_(bases),
      remotes_(remotes),
      cache_(cache),
      reporter_(reporter),
      stop_(stop),
      caches_(environment.store.root() + "/cache-mounts", request.no_cache,
              request.cache_directories,
              [&environment](const std::string& name) {
                environment.store.hold("cache-mounts/" + name);
              }),
      directories_(environment.store),
      kept_([&environment] { return environment.store.temp_dir("kept-"); }),
      ssh_agents_(request.ssh, environment.store) {}

store::LayerId Executor::execute(const Step& step, const StepInputs& inputs) {
  struct Visitor {
    Executor& self;
    const Step& step;
    const StepInputs& inputs;
    store::LayerId operator()(const RunStep& node) const {
      return self.run(step, node, inputs);
    }
    store::LayerId operator()(const CopyStep& node) const {
      return self.copy(step.id, node, inputs);
    }
    store::LayerId operator()(const WorkdirStep& node) const {
      return self.workdir(node, inputs);
    }
    store::LayerId operator()(const ImageStep&) const {
      throw Error("an image has no layer of its own to make");
    }
  };
  return std::visit(Visitor{*this, step, inputs}, step.node);
}

bool Executor::has_next(const Step& step) const {
  return std::any_of(
      plan_.steps.begin(), plan_.steps.end(),
      [&](const Step& above) { return above.parent == step.id; });
}

void Executor::fetch(const std::vector<store::LayerId>& layers) {
  cache_.fetch(layers);
  for (const Step& step : plan_.steps) {
    const auto* image = std::get_if<ImageStep>(&step.node);
    if (image == nullptr) continue;
    const bool wanted = std::any_of(
        image->image.config.diff_ids.begin(),
        image->image.config.diff_ids.end(), [&](const store::Digest& id) {
          return std::find(layers.begin(), layers.end(), id.hex()) !=
                 layers.end();
        });
    if (!wanted) continue;
    reporter_.started(step.id);
    const auto start = std::chrono::steady_clock::now();
    bases_.fetch(*image);
    reporter_.executed(step.id, std::chrono::steady_clock::now() - start);
  }
}

void Executor::prepare_indexes(const std::vector<store::LayerId>& layers) {
  std::vector<store::LayerId> missing;
  for (const store::LayerId& id : layers)
    if (!environment_.store.layers.has_tree(id)) missing.push_back(id);
  if (!missing.empty()) fetch(missing);
}

std::vector<std::string> Executor::trees(
    const std::vector<store::LayerId>& layers) {
  store::LayerStore& store = environment_.store.layers;
  std::vector<store::LayerId> missing;
  for (const store::LayerId& id : layers)
    if (!store.has_tree(id)) missing.push_back(id);
  if (!missing.empty()) {
    const auto unpack = [&] {
      fetch(missing);
      Workers workers(usable_cpus());
      for (const store::LayerId& id : missing)
        workers.submit([&store, id] { store.tree(id); });
      workers.wait();
    };
    try {
      unpack();
    } catch (const store::DamagedBlob&) {
      unpack();  // it is gone now, and is fetched again
    }
    store.settle(layers);
  }
  std::vector<std::string> trees;
  for (auto id = layers.rbegin(); id != layers.rend(); ++id)
    trees.push_back(store.tree(*id));
  return trees;
}

// A base that need not be fetched is told of before what stands on it ends.
std::vector<std::string> Executor::trees_below(const StepInputs& inputs) {
  std::vector<std::string> below = trees(inputs.below);
  if (inputs.base) reporter_.cached(*inputs.base);
  return below;
}

Executor::Origin Executor::open_origin(const FileOrigin& origin,
                                       const StepInputs& inputs) {
  if (origin.context)
    return {{}, {}, open_path(origin.context_dir, O_RDONLY | O_DIRECTORY)};
  std::vector<std::string> lowers;
  if (origin.step) lowers = trees(inputs.layers_of(*origin.step));
  if (lowers.empty())
    lowers = {environment_.store.root() + "/layers/empty/tree"};
  Origin opened;
  runtime::OverlaySpec spec{std::move(lowers), "", "",
                            environment_.runner.view()};
  if (spec.kind != runtime::ViewKind::overlay) {
    opened.work = environment_.store.temp_dir("origin-");
    spec.work = opened.work.path();
  }
  opened.view = runtime::make_view(spec);
  opened.root = opened.view->open();
  return opened;
}

}  // namespace cbuild::builder
