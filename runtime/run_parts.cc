#include "runtime/run_parts.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/dir.h"
#include "base/error.h"
#include "base/privileges.h"
#include "runtime/command.h"
#include "runtime/oom.h"

namespace cbuild::runtime {
namespace {

constexpr rlim_t kSoftFiles = 1024;
constexpr rlim_t kHardFiles = 524288;

// With its errno: a disk may be full there too.
[[noreturn]] void throw_failure(const ChildFailure& failure) {
  throw SystemError(failure.code, "RUN: " + std::string(failure.step),
                    failure.subject);
}

}  // namespace

const std::string& target_of(const Mount& mount) {
  return std::visit(
      [](const auto& m) -> const std::string& { return m.target; }, mount);
}

bool setgroups_allowed() {
  const auto text = read_file("/proc/self/setgroups");
  return !text || text->starts_with("allow");
}

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

void check_mapped(const UserIds& user) {
  if (is_mapped(uid_extents(), user.uid) && is_mapped(gid_extents(), user.gid))
    return;
  throw IsolationError(
      "RUN as " + std::to_string(user.uid) + ":" + std::to_string(user.gid) +
      ": the user namespace has no such id; give the user a range of ids in "
      "/etc/subuid and /etc/subgid (see 'cbuild doctor')");
}

std::optional<ChildFailure> read_failure(int pipe) {
  ChildFailure failure;
  const ssize_t n = ::read(pipe, &failure, sizeof failure);
  if (n != static_cast<ssize_t>(sizeof failure)) return std::nullopt;
  return failure;
}

int report_exec_problem(const ChildFailure& failure, const OutputSink& output) {
  if (failure.kind == ChildFailure::Kind::step) throw_failure(failure);
  const ExecProblem problem =
      failure.kind == ChildFailure::Kind::missing
          ? explain_missing(failure.subject, failure.code)
          : explain_failed_exec(failure.subject, failure.code);
  output(Stream::err, problem.message + "\n");
  return problem.code;
}

// Without a group of its own only cbuild's count is known, and others share
// that: it says something only where the command was killed (a shell says 137
// when its child was).
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

}  // namespace cbuild::runtime
