// The parent half: makes what can be made before the clone, starts the child,
// copies its output, and takes everything down again.
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <algorithm>
#include <mutex>

#include "base/dir.h"
#include "base/log.h"
#include "base/privileges.h"
#include "runtime/ca_files.h"
#include "runtime/child.h"
#include "runtime/command.h"
#include "runtime/emulation.h"
#include "runtime/etc_files.h"
#include "runtime/layer_view.h"
#include "runtime/mount_points.h"
#include "runtime/mount_sources.h"
#include "runtime/net.h"
#include "runtime/process.h"
#include "runtime/run_parts.h"
#include "runtime/runner.h"
#include "runtime/seccomp.h"
#include "runtime/socket_forward.h"
#include "runtime/stubs.h"
#include "runtime/users.h"
#include "runtime/view_choice.h"

namespace cbuild::runtime {
namespace {

constexpr std::uint64_t kNamespaces =
    CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;

// Paths point into `spec`.
std::vector<ChildDevice> devices_of(const RunSpec& spec) {
  std::vector<ChildDevice> devices;
  for (const DeviceNode& node : spec.devices)
    devices.push_back({node.path.c_str(),
                       node.mode | (node.block ? S_IFBLK : S_IFCHR),
                       ::makedev(node.major, node.minor), node.uid, node.gid});
  return devices;
}

bool cgroup_is_version_2() {
  struct statfs fs;
  return ::statfs("/sys/fs/cgroup", &fs) == 0 &&
         static_cast<unsigned long>(fs.f_type) == CGROUP2_SUPER_MAGIC;
}

// All but --security=insecure, whose devices only the first root can make.
bool binds_devices(const RunSpec& spec) {
  return !spec.insecure || !in_first_user_namespace();
}

// All that a ChildPlan points to, in an order that it can be taken down in.
struct Preparation {
  Preparation(const RunSpec& spec, const NetworkLease& network,
              const MountPoints& points);

  std::unique_ptr<LayerView> view;
  Fd root;
  UserIds user;
  MountStubs stubs;
  CaFiles ca;
  MemoryFiles files;
  std::vector<MountSource> sources;
  std::vector<ChildMount> mounts;
  std::vector<std::unique_ptr<SocketForward>> forwards;
  std::vector<ChildDevice> devices;
  std::vector<int> attach;
  std::vector<std::string> env;
  std::vector<std::string> programs;
  std::vector<const char*> program_names;
  std::vector<char*> argv, envp;
  std::vector<std::uint32_t> groups;
  std::vector<ResourceLimit> limits;
  std::string shm_options;
  std::string pts_options = "newinstance,ptmxmode=0666,mode=0620";
  CommandPipes pipes;

  // Once the command has ended: the upper directory has what it wrote.
  void finish();

 private:
  void add_mounts(const RunSpec& spec, const NetworkLease& network);
  const std::vector<std::string>& with_ca();
  void add_socket(const SocketMount& socket);
  void add_stubs();
};

Preparation::Preparation(const RunSpec& spec, const NetworkLease& network,
                         const MountPoints& points)
    : view(make_view(points.below(spec.root))),
      root(view->open()),
      user(resolve_user(root.get(), spec.user)),
      stubs(root.get(), spec.root.upper, points),
      ca(root.get(), spec.ca_certificates),
      devices(devices_of(spec)),
      env(with_home(spec.env, user.home)),
      programs(program_candidates(spec)),
      argv(c_strings(spec.argv)),
      envp(c_strings(with_ca())),
      groups(groups_of(user)),
      limits(limits_of(spec)),
      shm_options("mode=1777,size=" + std::to_string(spec.shm_size)) {
  check_mapped(user);
  // Debian's and most others' group tty.
  if (is_mapped(gid_extents(), 5)) pts_options += ",gid=5";
  for (const std::string& program : programs)
    program_names.push_back(program.c_str());
  add_mounts(spec, network);
  add_stubs();
  stubs.make_directory(spec.cwd, user.uid, user.gid);
}

void Preparation::add_mounts(const RunSpec& spec, const NetworkLease& network) {
  const bool host_network = network.mode() == NetworkMode::host;
  if (binds_devices(spec)) sources = device_sources();
  sources.push_back(
      files.add({"/etc/resolv.conf",
                 resolv_conf(host_network, network.name_server()), 0644}));
  sources.push_back(files.add(
      {"/etc/hosts",
       hosts_file(spec.hostname, hosts_of(spec, network.host_address())),
       0644}));

  for (const SecretMount& file : ca.mounts())
    sources.push_back(files.add(file));
  std::vector<const Mount*> sorted;
  for (const Mount& mount : spec.mounts) sorted.push_back(&mount);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Mount* a, const Mount* b) {
                     return target_of(*a) < target_of(*b);
                   });
  for (const Mount* mount : sorted) {
    if (const auto* bind = std::get_if<BindMount>(mount))
      sources.push_back(bind_source(*bind, spec.root.kind));
    else if (const auto* tmpfs = std::get_if<TmpfsMount>(mount))
      sources.push_back(tmpfs_source(*tmpfs));
    else if (const auto* socket = std::get_if<SocketMount>(mount))
      add_socket(*socket);
    else
      sources.push_back(files.add(std::get<SecretMount>(*mount)));
  }
  for (const MountSource& source : sources) {
    mounts.push_back(source.child());
    if (source.attach != -1 &&
        std::find(attach.begin(), attach.end(), source.attach) == attach.end())
      attach.push_back(source.attach);
  }
}

const std::vector<std::string>& Preparation::with_ca() {
  for (std::string& variable : ca.variables(env))
    env.push_back(std::move(variable));
  return env;
}

void Preparation::add_socket(const SocketMount& socket) {
  Fd listener;
  sources.push_back(files.add(socket, listener));
  forwards.push_back(
      std::make_unique<SocketForward>(std::move(listener), socket.connect_to));
}

void Preparation::finish() {
  ca.remove();
  stubs.remove();
  mounts.clear();
  sources.clear();
  root = Fd();
  view->finish();
  stubs.tidy();
}

void Preparation::add_stubs() {
  for (const char* directory : {"/proc", "/dev", "/sys"})
    stubs.make(directory, true);
  for (const MountSource& source : sources)
    stubs.make(source.target, source.directory);
}

}  // namespace

struct NamespaceRunner::State {
  State(std::string state_dir, RunnerOptions options)
      : directory(std::move(state_dir)),
        views(
            options.view, options.scratch
                              ? std::move(options.scratch)
                              : [this] { return TempDir(directory, "view-"); }),
        cgroups(std::move(options.resources), std::move(options.cgroup_parent)),
        self(check(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)),
                   "pidfd_open", "")),
        cgroup_v2(cgroup_is_version_2()),
        first_namespace(in_first_user_namespace()),
        setgroups(setgroups_allowed()) {
    make_dirs(directory, 0700);
  }

  ChildPlan plan(const RunSpec& spec, Preparation& ready,
                 const NetworkLease& network) const;
  const MountPoints& mount_points();

  const std::string directory;
  ViewChoice views;
  CgroupPool cgroups;
  const Fd self;
  NetworkPool networks;
  const bool cgroup_v2;
  const bool first_namespace;
  const bool setgroups;
  std::atomic<bool> said_proc = false;

 private:
  std::mutex points_mutex_;
  std::optional<MountPoints> points_;
};

// Made by the first run: a cached build has none. Not with std::call_once,
// which exceptions must not leave where libgcc is linked statically.
const MountPoints& NamespaceRunner::State::mount_points() {
  const std::lock_guard lock(points_mutex_);
  if (!points_) points_.emplace(directory + "/mount-points");
  return *points_;
}

ChildPlan NamespaceRunner::State::plan(const RunSpec& spec, Preparation& ready,
                                       const NetworkLease& network) const {
  ChildPlan plan;
  plan.root = ready.root.get();
  plan.attach_point = directory.c_str();
  plan.attach = ready.attach;
  plan.mounts = ready.mounts;
  plan.devices = ready.devices;
  plan.network = network.fd();
  plan.mount_cgroup = cgroup_v2;
  plan.insecure = spec.insecure;
  plan.bind_devices = binds_devices(spec);
  plan.bind_sys = !first_namespace;
  plan.set_groups = setgroups;
  plan.pts_options = ready.pts_options.c_str();
  plan.hostname = spec.hostname.c_str();
  plan.shm_options = ready.shm_options.c_str();
  plan.cwd = spec.cwd.c_str();
  plan.uid = ready.user.uid;
  plan.gid = ready.user.gid;
  plan.groups = ready.groups;
  plan.limits = ready.limits;
  if (!spec.insecure) plan.seccomp = default_seccomp_filter();
  plan.programs = ready.program_names;
  plan.argv = ready.argv.data();
  plan.envp = ready.envp.data();
  plan.in = spec.standard_input;
  plan.terminal = spec.terminal;
  plan.out = ready.pipes.out.write.get();
  plan.err = ready.pipes.err.write.get();
  plan.report_pipe = ready.pipes.report.write.get();
  plan.parent = self.get();
  return plan;
}

NamespaceRunner::NamespaceRunner(std::string state_dir, RunnerOptions options)
    : state_(
          std::make_unique<State>(std::move(state_dir), std::move(options))) {}

NamespaceRunner::~NamespaceRunner() = default;

ViewKind NamespaceRunner::view() { return state_->views.kind(); }

ExitStatus NamespaceRunner::run(const RunSpec& spec, const OutputSink& output,
                                const std::atomic<bool>* stop) {
  if (const std::string why = missing_emulator(spec.architecture); !why.empty())
    throw IsolationError("cannot run programs for " + spec.architecture + ": " +
                         why);
  const NetworkLease network =
      state_->networks.acquire(spec.network, spec.insecure);
  const CgroupLease cgroup = state_->cgroups.acquire();
  Preparation ready(spec, network, state_->mount_points());
  ChildPlan plan = state_->plan(spec, ready, network);
  plan.cgroup = cgroup.directory();
  plan.cgroups = cgroup.join();
  const ExitStatus status =
      follow([&] { return ChildProcess(plan, kNamespaces); }, ready.pipes,
             cgroup, output, stop);
  if (plan.outer_proc && !state_->said_proc.exchange(true))
    warn(
        "parts of /proc are masked here, so that no RUN gets its own: it has "
        "the outer one, read-only (see 'cbuild doctor')");
  ready.finish();
  return status;
}

}  // namespace cbuild::runtime
