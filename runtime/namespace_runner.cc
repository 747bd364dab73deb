// The parent half: makes what can be made before the clone, starts the child,
// copies its output, and takes everything down again.
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <mutex>

#include "base/dir.h"
#include "base/privileges.h"
#include "runtime/ca_files.h"
#include "runtime/child.h"
#include "runtime/command.h"
#include "runtime/emulation.h"
#include "runtime/etc_files.h"
#include "runtime/mount_points.h"
#include "runtime/mount_sources.h"
#include "runtime/net.h"
#include "runtime/oom.h"
#include "runtime/process.h"
#include "runtime/runner.h"
#include "runtime/seccomp.h"
#include "runtime/socket_forward.h"
#include "runtime/stubs.h"
#include "runtime/users.h"

namespace cbuild::runtime {
namespace {

constexpr std::uint64_t kNamespaces =
    CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
constexpr rlim_t kSoftFiles = 1024;
constexpr rlim_t kHardFiles = 524288;

const std::string& target_of(const Mount& mount) {
  return std::visit(
      [](const auto& m) -> const std::string& { return m.target; }, mount);
}

// Without --ulimit, open files are limited as on a plain Linux system, not as
// a CI service happened to start us: programs that close every possible
// descriptor take minutes under a limit of a thousand million.
std::vector<ResourceLimit> limits_of(const RunSpec& spec) {
  std::vector<ResourceLimit> limits = spec.limits;
  for (const ResourceLimit& limit : limits)
    if (limit.resource == RLIMIT_NOFILE) return limits;
  rlimit own = {kHardFiles, kHardFiles};
  ::getrlimit(RLIMIT_NOFILE, &own);
  const rlim_t hard = std::min(own.rlim_max, kHardFiles);
  limits.push_back({RLIMIT_NOFILE, std::min(hard, kSoftFiles), hard});
  return limits;
}

// Paths point into `spec`.
std::vector<ChildDevice> devices_of(const RunSpec& spec) {
  std::vector<ChildDevice> devices;
  for (const DeviceNode& node : spec.devices)
    devices.push_back({node.path.c_str(),
                       node.mode | (node.block ? S_IFBLK : S_IFCHR),
                       ::makedev(node.major, node.minor), node.uid, node.gid});
  return devices;
}

// With the host's address in place of its name; without one (--network none)
// the name is left out.
std::vector<std::pair<std::string, std::string>> hosts_of(
    const RunSpec& spec, const std::string& gateway) {
  auto hosts = spec.extra_hosts;
  for (auto& host : hosts)
    if (host.second == kHostGateway) host.second = gateway;
  std::erase_if(hosts, [](const auto& host) { return host.second.empty(); });
  return hosts;
}

std::vector<std::uint32_t> groups_of(const UserIds& user) {
  std::vector<std::uint32_t> groups = user.groups;
  if (std::find(groups.begin(), groups.end(), user.gid) == groups.end())
    groups.insert(groups.begin(), user.gid);
  return groups;
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

bool setgroups_allowed() {
  const auto text = read_file("/proc/self/setgroups");
  return !text || text->starts_with("allow");
}

// Ids that the image has and this user namespace lacks would end in an "Invalid
// argument" of some system call.
void check_mapped(const UserIds& user) {
  if (is_mapped(uid_extents(), user.uid) && is_mapped(gid_extents(), user.gid))
    return;
  throw IsolationError(
      "RUN as " + std::to_string(user.uid) + ":" + std::to_string(user.gid) +
      ": the user namespace has no such id; give the user a range of ids in "
      "/etc/subuid and /etc/subgid (see 'cbuild doctor')");
}

// All that a ChildPlan points to, in an order that it can be taken down in.
struct Preparation {
  Preparation(const RunSpec& spec, const NetworkLease& network,
              const MountPoints& points);

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
  Pipe out = make_pipe(), err = make_pipe(), report = make_pipe();

 private:
  void add_mounts(const RunSpec& spec, const NetworkLease& network);
  const std::vector<std::string>& with_ca();
  void add_socket(const SocketMount& socket);
  void add_stubs();
};

Preparation::Preparation(const RunSpec& spec, const NetworkLease& network,
                         const MountPoints& points)
    : root(mount_overlay(points.below(spec.root))),
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
      sources.push_back(bind_source(*bind));
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

void Preparation::add_stubs() {
  for (const char* directory : {"/proc", "/dev", "/sys"})
    stubs.make(directory, true);
  for (const MountSource& source : sources)
    stubs.make(source.target, source.directory);
}

// What the child said before it could exec; nullopt where it did exec.
std::optional<ChildFailure> read_failure(int pipe) {
  ChildFailure failure;
  const ssize_t n = ::read(pipe, &failure, sizeof failure);
  if (n != static_cast<ssize_t>(sizeof failure)) return std::nullopt;
  return failure;
}

// With its errno: a disk may be full there too.
[[noreturn]] void throw_failure(const ChildFailure& failure) {
  throw SystemError(failure.code, "RUN: " + std::string(failure.step),
                    failure.subject);
}

// A program that is not there is the command's failure, not ours: said where
// the command would have, with the exit code that a shell has for it.
int report_exec_problem(const ChildFailure& failure, const OutputSink& output) {
  if (failure.kind == ChildFailure::Kind::step) throw_failure(failure);
  const ExecProblem problem =
      failure.kind == ChildFailure::Kind::missing
          ? explain_missing(failure.subject, failure.code)
          : explain_failed_exec(failure.subject, failure.code);
  output(Stream::err, problem.message + "\n");
  return problem.code;
}

// Whether a limit is why the command failed. Without a group of its own only
// cbuild's count is known, and others share that: it says something only where
// the command was killed (a shell says 137 when its child was).
void explain(const CgroupLease& cgroup, std::uint64_t kills_before,
             ExitStatus& status) {
  if (!cgroup) {
    status.out_of_memory =
        status.code == 128 + SIGKILL && out_of_memory_kills() > kills_before;
    return;
  }
  const CgroupReport report = cgroup.report();
  status.out_of_memory = report.out_of_memory;
  status.memory_limit = report.memory_limit;
  status.memory_peak = report.memory_peak;
  status.out_of_processes = report.out_of_processes;
}

}  // namespace

struct NamespaceRunner::State {
  State(std::string state_dir, RunnerOptions options)
      : directory(std::move(state_dir)),
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
  CgroupPool cgroups;
  const Fd self;
  NetworkPool networks;
  const bool cgroup_v2;
  const bool first_namespace;
  const bool setgroups;

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
  plan.out = ready.out.write.get();
  plan.err = ready.err.write.get();
  plan.report_pipe = ready.report.write.get();
  plan.parent = self.get();
  return plan;
}

NamespaceRunner::NamespaceRunner(std::string state_dir, RunnerOptions options)
    : state_(
          std::make_unique<State>(std::move(state_dir), std::move(options))) {}

NamespaceRunner::~NamespaceRunner() = default;

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
  const std::uint64_t kills = cgroup ? 0 : out_of_memory_kills();

  const auto start = std::chrono::steady_clock::now();
  ExitStatus status;
  {
    ChildProcess child(plan, kNamespaces);
    // The read ends see the end of file once the child's copies are closed.
    for (Pipe* pipe : {&ready.out, &ready.err, &ready.report})
      pipe->write.close();
    pump_output(child.pidfd(), ready.out.read.get(), ready.err.read.get(),
                output, stop);
    status = child.wait();
  }
  status.wall = std::chrono::steady_clock::now() - start;

  if (const auto failure = read_failure(ready.report.read.get()))
    status.code = report_exec_problem(*failure, output);
  if (status.code != 0) explain(cgroup, kills, status);

  ready.ca.remove();
  ready.stubs.remove();
  ready.mounts.clear();
  ready.sources.clear();
  ready.root = Fd();
  ready.stubs.tidy();
  return status;
}

}  // namespace cbuild::runtime
