// What `cbuild debug` will need of a RUN that failed.
#include <ctime>

#include "base/text.h"
#include "builder/executor.h"
#include "builder/failed_run.h"
#include "builder/mount_resources.h"

namespace cbuild::builder {
namespace {

using Type = parser::RunMount::Type;

void add_permissions(const parser::RunMount& m, std::uint32_t mode,
                     FailedRun::Mount& kept) {
  kept.mode = m.mode.value_or(mode);
  kept.uid = m.uid.value_or(0);
  kept.gid = m.gid.value_or(0);
}

FailedRun::Mount kept_bind(const MountStep& mount, const StepInputs& inputs) {
  FailedRun::Mount kept;
  kept.type = mount.origin.context ? "bind" : "layers";
  kept.place = mount.origin.context_dir;
  if (mount.origin.step) kept.layers = inputs.layers_of(*mount.origin.step);
  kept.source = clean_path("/" + mount.mount.source).substr(1);
  kept.read_only = mount.mount.read_only.value_or(true);
  return kept;
}

FailedRun::Mount kept_secret(const parser::RunMount& m) {
  FailedRun::Mount kept;
  kept.type = "secret";
  kept.id = m.source.empty() ? m.id : m.source;
  if (kept.id.empty()) kept.id = m.target.substr(m.target.rfind('/') + 1);
  if (m.env) kept.text = m.env->empty() ? kept.id : *m.env;
  add_permissions(m, 0400, kept);
  return kept;
}

FailedRun::Mount kept_mount(const MountStep& mount, const StepInputs& inputs) {
  const parser::RunMount& m = mount.mount;
  FailedRun::Mount kept;
  switch (m.type) {
    case Type::bind:
      return kept_bind(mount, inputs);
    case Type::secret:
      return kept_secret(m);
    case Type::cache:
      kept.type = "cache";
      kept.read_only = m.read_only.value_or(false);
      break;
    case Type::tmpfs:
      kept.type = "tmpfs";
      kept.size = m.size;
      kept.read_only = m.read_only.value_or(false);
      break;
    case Type::ssh:
      kept.type = "ssh";
      kept.id = m.id;
      add_permissions(m, 0600, kept);
      break;
  }
  return kept;
}

}  // namespace

std::string Executor::keep(const Step& step, const RunStep& run,
                           const StepInputs& inputs,
                           const runtime::RunSpec& spec,
                           const MountResources& resources,
                           const std::string& reason) {
  FailedRun failed;
  failed.title = step.name;
  failed.reason = reason;
  failed.time = std::time(nullptr);
  failed.layers = inputs.below;
  failed.spec = spec;
  failed.spec.env = run.env;  // without secrets and proxies
  failed.spec.mounts.clear();
  auto cache = resources.caches.begin();
  for (const MountStep& mount : run.mounts) {
    FailedRun::Mount kept = kept_mount(mount, inputs);
    const bool variable_only =
        mount.mount.type == Type::secret && mount.target.empty();
    if (!variable_only) kept.target = mount.target;
    if (kept.type == "cache") kept.place = (cache++)->directory;
    failed.mounts.push_back(std::move(kept));
  }
  if (run.script) {
    FailedRun::Mount script;
    script.type = "file";
    script.target = "/dev/pipes/" + run.script->name;
    script.text = run.script->content;
    script.mode = 0755;
    failed.mounts.push_back(std::move(script));
  }
  for (const DeviceEdits& device : run.device_edits) {
    failed.spec.env.insert(failed.spec.env.end(), device.env.begin(),
                           device.env.end());
    for (const DeviceEdits::HostPath& path : device.mounts) {
      FailedRun::Mount kept;
      kept.type = "bind";
      kept.target = path.target;
      kept.place = "/";
      kept.source = path.host;
      kept.read_only = path.read_only;
      failed.mounts.push_back(std::move(kept));
    }
  }
  return keep_failed(environment_.store, failed, spec.root.upper);
}

}  // namespace cbuild::builder
