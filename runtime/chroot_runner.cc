#include "runtime/chroot_runner.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>

#include <algorithm>
#include <mutex>

#include "base/log.h"
#include "base/privileges.h"
#include "runtime/ca_files.h"
#include "runtime/command.h"
#include "runtime/confinement.h"
#include "runtime/copy_view.h"
#include "runtime/emulation.h"
#include "runtime/etc_files.h"
#include "runtime/keeper.h"
#include "runtime/landlock.h"
#include "runtime/net.h"
#include "runtime/placements.h"
#include "runtime/process.h"
#include "runtime/run_parts.h"
#include "runtime/seccomp.h"
#include "runtime/socket_forward.h"
#include "runtime/stubs.h"

namespace cbuild::runtime {
namespace {

constexpr struct {
  const char* path;
  unsigned minor;
  unsigned major = 1;
} kDevices[] = {{"/dev/null", 3},   {"/dev/zero", 5},    {"/dev/full", 7},
                {"/dev/random", 8}, {"/dev/urandom", 9}, {"/dev/tty", 0, 5}};

constexpr struct {
  const char* path;
  const char* text;
} kLinks[] = {{"/dev/fd", "/proc/self/fd"},
              {"/dev/stdin", "/proc/self/fd/0"},
              {"/dev/stdout", "/proc/self/fd/1"},
              {"/dev/stderr", "/proc/self/fd/2"}};

[[noreturn]] void refuse(const std::string& what) {
  throw IsolationError(
      what +
      " needs namespaces or mounts, and none are allowed here; see 'cbuild "
      "doctor'");
}

void check_possible(const RunSpec& spec) {
  if (const std::string why = missing_emulator(spec.architecture); !why.empty())
    throw IsolationError("cannot run programs for " + spec.architecture + ": " +
                         why);
  if (spec.network == NetworkMode::none) refuse("--network=none");
  if (spec.insecure) refuse("--security=insecure");
  if (!spec.devices.empty()) refuse("--device");
  for (const Mount& mount : spec.mounts) {
    const auto* secret = std::get_if<SecretMount>(&mount);
    if (secret != nullptr && secret->confidential)
      refuse(
          "RUN --mount=type=secret as a file (as a variable, env=NAME, it "
          "works)");
  }
}

// chroot(2) with this capability is a way out of a chroot.
constexpr std::uint64_t kCapabilities =
    kDefaultCapabilities & ~(std::uint64_t{1} << CAP_SYS_CHROOT);

constexpr struct {
  int number;
  const char* name;
} kNeeded[] = {
    {CAP_SYS_CHROOT, "CAP_SYS_CHROOT"}, {CAP_MKNOD, "CAP_MKNOD"},  // /dev/null
    {CAP_SETPCAP, "CAP_SETPCAP"},  // to give up the others
    {CAP_SETUID, "CAP_SETUID"},         {CAP_SETGID, "CAP_SETGID"},
    {CAP_CHOWN, "CAP_CHOWN"},           {CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE"},
    {CAP_FOWNER, "CAP_FOWNER"}};

// All that the child needs, put into the tree.
class Preparation {
 public:
  explicit Preparation(const RunSpec& spec);

  ChildPlan plan(const RunSpec& spec, const Confinement& confinement);
  // Once nothing of the command is left.
  void finish();

  CommandPipes pipes;

 private:
  void place_usual(const RunSpec& spec);
  void place(const Mount& mount);

  CopyView view_;
  Fd root_;
  Fd rules_;  // of Landlock
  UserIds user_;
  Placements placements_;
  CaFiles ca_;
  std::vector<std::unique_ptr<SocketForward>> forwards_;
  std::vector<std::string> env_, programs_;
  std::vector<const char*> program_names_;
  std::vector<char*> argv_, envp_;
  std::vector<std::uint32_t> groups_;
  std::vector<ResourceLimit> limits_;
};

std::string make_aside(const RunSpec& spec) {
  const std::string path = spec.root.work + "/aside";
  make_dirs(path, 0700);
  return path;
}

Preparation::Preparation(const RunSpec& spec)
    : view_(spec.root),
      root_(view_.directory()),
      user_(resolve_user(root_.get(), spec.user)),
      placements_(root_.get(), make_aside(spec)),
      ca_(root_.get(), spec.ca_certificates),
      env_(with_home(spec.env, user_.home)),
      programs_(program_candidates(spec)),
      argv_(c_strings(spec.argv)),
      groups_(groups_of(user_)),
      limits_(limits_of(spec)) {
  check_mapped(user_);
  for (const std::string& program : programs_)
    program_names_.push_back(program.c_str());
  for (std::string& variable : ca_.variables(env_))
    env_.push_back(std::move(variable));
  envp_ = c_strings(env_);
  place_usual(spec);
  for (const SecretMount& file : ca_.mounts()) placements_.file(file);
  std::vector<const Mount*> sorted;
  for (const Mount& mount : spec.mounts) sorted.push_back(&mount);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Mount* a, const Mount* b) {
                     return target_of(*a) < target_of(*b);
                   });
  for (const Mount* mount : sorted) place(*mount);
  make_missing(root_.get(), resolve_in_root(root_.get(), spec.cwd), user_.uid,
               user_.gid);
}

void Preparation::place_usual(const RunSpec& spec) {
  placements_.directory("/proc", 0555);
  placements_.directory("/sys", 0555);
  placements_.directory("/dev", 0755);
  for (const auto& device : kDevices)
    placements_.character_device(device.path, device.major, device.minor);
  for (const auto& link : kLinks) placements_.link(link.path, link.text);
  if (spec.shm_size != RunSpec().shm_size)
    warn("--shm-size: the size of /dev/shm is not limited here");
  placements_.directory("/dev/shm", 01777);
  const NetworkLease host(NetworkMode::host);
  placements_.file({"/etc/resolv.conf", resolv_conf(true, ""), 0644});
  placements_.file(
      {"/etc/hosts",
       hosts_file(spec.hostname, hosts_of(spec, host.host_address())), 0644});
}

void Preparation::place(const Mount& mount) {
  if (const auto* bind = std::get_if<BindMount>(&mount)) {
    placements_.bind(*bind);
  } else if (const auto* tmpfs = std::get_if<TmpfsMount>(&mount)) {
    if (tmpfs->size != 0)
      warn("mount " + tmpfs->target + ": its size is not limited here");
    placements_.directory(tmpfs->target, 01777);
  } else if (const auto* socket = std::get_if<SocketMount>(&mount)) {
    forwards_.push_back(std::make_unique<SocketForward>(
        placements_.socket(*socket), socket->connect_to));
  } else {
    placements_.file(std::get<SecretMount>(mount));
  }
}

ChildPlan Preparation::plan(const RunSpec& spec,
                            const Confinement& confinement) {
  ChildPlan plan;
  plan.only_chroot = true;
  plan.capabilities = kCapabilities;
  plan.root = root_.get();
  plan.cwd = spec.cwd.c_str();
  plan.uid = user_.uid;
  plan.gid = user_.gid;
  plan.groups = groups_;
  plan.set_groups = setgroups_allowed();
  plan.limits = limits_;
  plan.programs = program_names_;
  plan.argv = argv_.data();
  plan.envp = envp_.data();
  plan.in = spec.standard_input;
  plan.terminal = spec.terminal;
  plan.out = pipes.out.write.get();
  plan.err = pipes.err.write.get();
  plan.report_pipe = pipes.report.write.get();
  if (confinement.seccomp) plan.seccomp = chroot_seccomp_filter();
  if (confinement.landlock != 0)
    rules_ = make_landlock_rules(root_.get(), confinement.landlock);
  plan.landlock = rules_ ? rules_.get() : -1;
  return plan;
}

void Preparation::finish() {
  forwards_.clear();
  placements_.remove();
  ca_.remove();
  root_ = Fd();
  view_.finish();
}

}  // namespace

std::string missing_for_chroot() {
  std::string missing;
  for (const auto& capability : kNeeded)
    if (!has_capability(capability.number))
      missing += (missing.empty() ? "" : ", ") + std::string(capability.name);
  // Its root has CAP_MKNOD, and mknod(2) of a device is refused all the same.
  if (missing.empty() && !in_first_user_namespace())
    missing = "devices, which no user namespace can make";
  if (missing.empty() && !keeper_possible())
    missing = "/proc/PID/task/PID/children";
  return missing;
}

struct ChrootRunner::State {
  explicit State(RunnerOptions options)
      : cgroups(std::move(options.resources),
                std::move(options.cgroup_parent)) {}
  CgroupPool cgroups;
  const Confinement confinement = find_confinement();
};

ChrootRunner::ChrootRunner(RunnerOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}

ChrootRunner::~ChrootRunner() = default;

ExitStatus ChrootRunner::run(const RunSpec& spec, const OutputSink& output,
                             const std::atomic<bool>* stop) {
  check_possible(spec);
  const CgroupLease cgroup = state_->cgroups.acquire();
  Preparation ready(spec);
  ChildPlan plan = ready.plan(spec, state_->confinement);
  std::vector<int> joins(cgroup.join().begin(), cgroup.join().end());
  Fd processes;
  if (cgroup.directory() != -1) {
    processes = openat_path(cgroup.directory(), "cgroup.procs", O_WRONLY);
    joins.push_back(processes.get());
  }
  plan.cgroups = joins;
  const ExitStatus status = follow([&] { return KeptProcess(plan); },
                                   ready.pipes, cgroup, output, stop);
  ready.finish();
  return status;
}

}  // namespace cbuild::runtime
