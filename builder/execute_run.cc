// RUN: what the step's description becomes for the runner.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/cgroups.h"
#include "base/dir.h"
#include "base/text.h"
#include "builder/executor.h"
#include "builder/mount_resources.h"
#include "builder/secret.h"
#include "builder/secret_scan.h"
#include "builder/step_key.h"
#include "builder/workspace.h"
#include "runtime/users.h"

namespace cbuild::builder {

namespace {

using Type = parser::RunMount::Type;

std::string failure_text(const RunStep& run, const std::string& reason) {
  return "process " + go_quote(join(run.argv, " ")) +
         " did not complete successfully: " + reason;
}

// "512MiB", "1.5GiB": limits are given in these units.
std::string binary_size(std::uint64_t bytes) {
  constexpr std::pair<std::uint64_t, const char*> kUnits[] = {
      {1ull << 30, "GiB"}, {1ull << 20, "MiB"}, {1ull << 10, "KiB"}};
  for (const auto& [unit, name] : kUnits)
    if (bytes >= unit) {
      const std::uint64_t tenths = bytes * 10 / unit;
      return std::to_string(tenths / 10) +
             (tenths % 10 != 0 ? "." + std::to_string(tenths % 10) : "") + name;
    }
  return std::to_string(bytes) + "B";
}

// BuildKit's words, then what it does not say.
std::string failure_reason(const runtime::ExitStatus& status) {
  std::string reason = "exit code: " + std::to_string(status.code);
  if (status.signal != 0)
    reason +=
        " (killed by SIG" + std::string(::sigabbrev_np(status.signal)) + ")";
  if (status.out_of_memory) {
    reason += ": cannot allocate memory: killed for lack of it";
    if (status.memory_limit != 0)
      reason += ", limit " + binary_size(status.memory_limit);
    if (status.memory_peak != 0)
      reason += ", peak " + binary_size(status.memory_peak);
  }
  if (status.out_of_processes)
    reason += ": it wanted more processes than it may have (--pids-limit)";
  return reason;
}

void add_devices(const RunStep& run, runtime::RunSpec& spec,
                 MountResources& resources) {
  for (const DeviceEdits& device : run.device_edits) {
    spec.env.insert(spec.env.end(), device.env.begin(), device.env.end());
    spec.devices.insert(spec.devices.end(), device.nodes.begin(),
                        device.nodes.end());
    for (const DeviceEdits::HostPath& path : device.mounts) {
      resources.roots.push_back(open_path("/", O_RDONLY | O_DIRECTORY));
      runtime::BindMount bind;
      bind.target = path.target;
      bind.source_root = resources.roots.back().get();
      bind.source = path.host;
      bind.read_only = path.read_only;
      spec.mounts.push_back(std::move(bind));
    }
  }
}

bool read_only(const parser::RunMount& mount) {
  return mount.read_only.value_or(mount.type != Type::cache &&
                                  mount.type != Type::tmpfs);
}

}  // namespace

store::LayerId Executor::run(const Step& step, const RunStep& run,
                             const StepInputs& inputs) {
  Workspace workspace(environment_.store, directories_.take(), disposal_,
                      trees_below(inputs), environment_.runner.view(), kept_);
  if (has_next(step)) directories_.prepare();
  MountResources resources;
  resources.scratch = workspace.directory();

  runtime::RunSpec spec;
  spec.root = workspace.overlay();
  spec.argv = run.argv;
  spec.architecture = run.architecture;
  spec.env = run.env;
  spec.env.insert(spec.env.end(), run.proxy_env.begin(), run.proxy_env.end());
  spec.cwd = run.cwd;
  spec.user = run.user;
  if (!run.hostname.empty()) spec.hostname = run.hostname;
  spec.network = run.network.value_or(
      request_.network.value_or(runtime::NetworkMode::egress));
  spec.extra_hosts = request_.extra_hosts;
  if (request_.shm_size != 0) spec.shm_size = request_.shm_size;
  spec.limits = request_.limits;
  spec.insecure = run.insecure;
  spec.ca_certificates = request_.ca_certificates;
  add_mounts(run, inputs, spec, resources);
  add_devices(run, spec, resources);
  spec.env.insert(spec.env.end(), resources.secret_env.begin(),
                  resources.secret_env.end());

  const auto output = [&](runtime::Stream stream, std::string_view text) {
    reporter_.output(step.id, stream == runtime::Stream::err, text);
  };
  runtime::ExitStatus status;
  try {
    status = environment_.runner.run(spec, output, &stop_);
  } catch (const runtime::UserError& e) {
    throw RunFailed(failure_text(run, e.what()), 1);
  }
  if (status.code != 0) {
    const std::string reason = failure_reason(status);
    const std::string kept =
        request_.keep_failed ? keep(step, run, inputs, spec, resources, reason)
                             : "";
    throw RunFailed(failure_text(run, reason), status.code, kept);
  }
  refuse_secrets(request_, workspace.overlay().upper);
  return workspace.take(usable_cpus());
}

void Executor::add_mounts(const RunStep& run, const StepInputs& inputs,
                          runtime::RunSpec& spec, MountResources& resources) {
  for (const MountStep& mount : run.mounts) {
    switch (mount.mount.type) {
      case Type::bind:
        add_bind(mount, inputs, spec, resources);
        break;
      case Type::cache:
        add_cache(mount, inputs, spec, resources);
        break;
      case Type::tmpfs:
        spec.mounts.push_back(runtime::TmpfsMount{
            mount.target, mount.mount.size, read_only(mount.mount)});
        break;
      case Type::secret:
        add_secret(mount, spec, resources);
        break;
      case Type::ssh:
        add_ssh(mount, spec);
        break;
    }
  }
  if (run.script)
    spec.mounts.push_back(runtime::SecretMount{"/dev/pipes/" + run.script->name,
                                               run.script->content, 0755, 0, 0,
                                               false});
}

void Executor::add_bind(const MountStep& mount, const StepInputs& inputs,
                        runtime::RunSpec& spec, MountResources& resources) {
  runtime::BindMount bind;
  bind.target = mount.target;
  bind.source = clean_path("/" + mount.mount.source).substr(1);
  bind.read_only = read_only(mount.mount);
  if (mount.origin.context && !mount.origin.context->ignore().empty()) {
    // What the ignore file excludes must not be seen, so the rest is copied.
    CopySpec selection = mount_selection(mount);
    const auto view = inputs.view_of(mount.origin);
    const auto source = view->resolve(bind.source);
    const auto entry = source ? view->lookup(*source) : std::nullopt;
    const bool file = entry && entry->type != store::EntryType::directory;
    if (file) selection.destination = "/file";
    resources.copies.push_back(environment_.store.temp_dir("bind-"));
    const std::string& copy = resources.copies.back().path();
    check(::chmod(copy.c_str(), 0755), "chmod", copy);
    const Origin origin = open_origin(mount.origin, inputs);
    resources.roots.push_back(open_path(copy, O_RDONLY | O_DIRECTORY));
    copy_files(selection, *view, origin.root.get(),
               resources.roots.back().get());
    bind.source = file ? "file" : "";
  } else {
    Origin origin = open_origin(mount.origin, inputs);
    resources.roots.push_back(std::move(origin.root));
    resources.views.push_back(std::move(origin.view));
    resources.copies.push_back(std::move(origin.work));
  }
  bind.source_root = resources.roots.back().get();
  if (!bind.read_only) {
    bind.discard_writes_in = resources.scratch + "/bind-" +
                             std::to_string(resources.scratch_count++);
    check(::mkdir(bind.discard_writes_in.c_str(), 0700), "mkdir",
          bind.discard_writes_in);
  }
  spec.mounts.push_back(std::move(bind));
}

void Executor::add_cache(const MountStep& mount, const StepInputs& inputs,
                         runtime::RunSpec& spec, MountResources& resources) {
  const parser::RunMount& m = mount.mount;
  std::string key = m.id.empty() ? clean_path(m.target) : m.id;
  if (mount.has_origin && mount.origin.step)
    for (const std::string& layer : inputs.layers_of(*mount.origin.step))
      key += "\n" + layer;
  if (mount.has_origin) key += "\nfrom " + m.source;
  const bool owned = m.uid || m.gid || m.mode;
  if (owned)
    key += "\nowner " + std::to_string(m.uid.value_or(0)) + ":" +
           std::to_string(m.gid.value_or(0)) + " mode " +
           std::to_string(m.mode.value_or(0755));
  const auto seed = [&](const std::string& directory) {
    const Fd root = open_path(directory, O_RDONLY | O_DIRECTORY);
    if (mount.has_origin) {
      const Origin origin = open_origin(mount.origin, inputs);
      copy_files(mount_selection(mount), *inputs.view_of(mount.origin),
                 origin.root.get(), root.get());
    }
    if (!owned) return;
    store::give(root.get(), m.uid.value_or(0), m.gid.value_or(0), directory);
    check(::fchmod(root.get(), m.mode.value_or(0755)), "chmod", directory);
  };
  resources.caches.push_back(caches_.acquire(
      key, m.sharing, [this] { return stop_.load(); }, seed));
  resources.roots.push_back(
      open_path(resources.caches.back().directory, O_RDONLY | O_DIRECTORY));
  runtime::BindMount bind;
  bind.target = mount.target;
  bind.source_root = resources.roots.back().get();
  bind.read_only = read_only(m);
  spec.mounts.push_back(std::move(bind));
}

void Executor::add_secret(const MountStep& mount, runtime::RunSpec& spec,
                          MountResources& resources) {
  const parser::RunMount& m = mount.mount;
  std::string id = m.source.empty() ? m.id : m.source;
  if (id.empty()) id = m.target.substr(m.target.rfind('/') + 1);
  const std::optional<std::string> content = read_secret(request_, id);
  if (!content && m.required) throw Error("secret " + id + ": not found");
  if (m.env) {
    const std::string name = m.env->empty() ? id : *m.env;
    resources.secret_env.push_back(name + "=" + content.value_or(""));
    if (m.target.empty()) return;
  }
  if (!content) return;
  spec.mounts.push_back(
      runtime::SecretMount{mount.target, *content, m.mode.value_or(0400),
                           m.uid.value_or(0), m.gid.value_or(0)});
}

void Executor::add_ssh(const MountStep& mount, runtime::RunSpec& spec) {
  const parser::RunMount& m = mount.mount;
  const std::optional<std::string> socket = ssh_agents_.socket(m.id);
  if (!socket && !m.required) return;
  if (!socket)
    throw Error("no SSH key " + go_quote(m.id) + " was given: --ssh " + m.id);
  spec.mounts.push_back(
      runtime::SocketMount{mount.target, *socket, m.mode.value_or(0600),
                           m.uid.value_or(0), m.gid.value_or(0)});
}

}  // namespace cbuild::builder
