// What both runners do (namespace_runner.cc, chroot_runner.cc).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/cgroup.h"
#include "runtime/child.h"
#include "runtime/oom.h"
#include "runtime/process.h"
#include "runtime/runner.h"
#include "runtime/users.h"

namespace cbuild::runtime {

const std::string& target_of(const Mount& mount);

// Whether setgroups(2) is not denied in this user namespace.
bool setgroups_allowed();

// Without --ulimit, open files are limited as on a plain Linux system, not as
// a CI service happened to start us: programs that close every possible
// descriptor take minutes under a limit of a thousand million.
std::vector<ResourceLimit> limits_of(const RunSpec& spec);

// With the host's address `gateway` in place of its name; without one
// (--network none) the name is left out.
std::vector<std::pair<std::string, std::string>> hosts_of(
    const RunSpec& spec, const std::string& gateway);

std::vector<std::uint32_t> groups_of(const UserIds& user);

// Ids that the image has and this user namespace lacks would end in an "Invalid
// argument" of some system call. Throws IsolationError.
void check_mapped(const UserIds& user);

// What the child said before it could exec; nullopt where it did exec.
std::optional<ChildFailure> read_failure(int pipe);

// A program that is not there is the command's failure, not ours: said where
// the command would have, with the exit code that a shell has for it. Throws
// Error for what is ours.
int report_exec_problem(const ChildFailure& failure, const OutputSink& output);

// Whether a limit is why the command failed. `kills_before`: what
// out_of_memory_kills() said before it ran.
void explain(const CgroupLease& cgroup, std::uint64_t kills_before,
             ExitStatus& status);

// The command from its start, which is `make`, to its end: what it says goes to
// `output`, and a failure is explained. Throws as pump_output() does; the child
// is ended then.
template <typename Make>
ExitStatus follow(Make&& make, CommandPipes& pipes, const CgroupLease& cgroup,
                  const OutputSink& output, const std::atomic<bool>* stop) {
  const std::uint64_t kills = cgroup ? 0 : out_of_memory_kills();
  const auto start = std::chrono::steady_clock::now();
  ExitStatus status;
  {
    auto child = make();
    pipes.close_writes();
    pump_output(child.pidfd(), pipes.out.read.get(), pipes.err.read.get(),
                output, stop);
    status = child.wait();
  }
  status.wall = std::chrono::steady_clock::now() - start;
  if (const auto failure = read_failure(pipes.report.read.get()))
    status.code = report_exec_problem(*failure, output);
  if (status.code != 0) explain(cgroup, kills, status);
  return status;
}

}  // namespace cbuild::runtime
