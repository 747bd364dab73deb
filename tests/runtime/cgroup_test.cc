#include "runtime/cgroup.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>

#include "base/text.h"
#include "runtime/cgroup_tree.h"
#include "sandbox.h"

namespace cbuild::runtime {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

// Why limits cannot be tested here, or "".
std::string missing(const char* controller) {
  for (const CgroupHierarchy& h : cgroup_hierarchies())
    if (h.has(controller) && ::access(h.own.c_str(), W_OK) == 0) return "";
  return std::string("no control group with the controller ") + controller;
}

#define NEED_CGROUP(controller)                                    \
  if (const std::string why = missing(controller); !why.empty()) { \
    WARN("SKIPPED: " << why);                                      \
    return;                                                        \
  }

Output run_limited(Sandbox& sandbox, const Resources& resources,
                   const std::string& script) {
  NamespaceRunner runner(sandbox.dir() + "/state", {resources, ""});
  Output output;
  output.status = runner.run(
      sandbox.spec(script),
      [&](Stream stream, std::string_view text) {
        (stream == Stream::out ? output.out : output.err) += text;
      },
      nullptr);
  return output;
}

// Groups of process `pid`, in every hierarchy.
int groups_of(pid_t pid) {
  int count = 0;
  for (const CgroupHierarchy& h : cgroup_hierarchies()) {
    const Fd dir = open_path(cgroup_base(h, ""), O_RDONLY | O_DIRECTORY);
    for (const std::string& name : list_dir(dir.get()))
      count += name.starts_with("cbuild.") &&
               name.find("." + std::to_string(pid) + ".") != std::string::npos;
  }
  return count;
}

int groups() { return groups_of(::getpid()); }

}  // namespace

TEST_CASE("limits: files of version 1", "[runtime]") {
  Resources r{.memory = 1 << 20,
              .memory_swap = 3 << 20,
              .cpu_shares = 512,
              .cpu_quota = 50000,
              .cpuset_cpus = "0",
              .pids = 9};
  CHECK(cgroup_settings(r, false) ==
        Settings{{"memory.limit_in_bytes", "1048576"},
                 {"memory.memsw.limit_in_bytes", "3145728"},
                 {"cpu.shares", "512"},
                 {"cpu.cfs_quota_us", "50000"},
                 {"cpuset.cpus", "0"},
                 {"pids.max", "9"}});
}

TEST_CASE("limits: files of version 2", "[runtime]") {
  Resources r{.memory = 1 << 20,
              .memory_swap = 3 << 20,
              .cpu_shares = 1024,
              .cpu_quota = 50000,
              .pids = -1};
  CHECK(cgroup_settings(r, true) == Settings{{"memory.max", "1048576"},
                                             {"memory.swap.max", "2097152"},
                                             {"cpu.weight", "39"},
                                             {"cpu.max", "50000 100000"},
                                             {"pids.max", "max"}});
  r = {.memory = 1 << 20, .memory_swap = -1, .pids = 1};
  CHECK(cgroup_settings(r, true)[1] ==
        std::pair<std::string, std::string>("memory.swap.max", "max"));
}

TEST_CASE("limits: a command that takes too much memory is told so",
          "[runtime]") {
  NEED_SANDBOX();
  NEED_CGROUP("memory");
  Sandbox sandbox;
  // The shell lives on: its exit code alone would not show it.
  const Output output = run_limited(sandbox, {.memory = 16 << 20},
                                    "head -c 99999999 /dev/zero | tr '\\0' x | "
                                    "sort >/dev/null; exit 4");
  CHECK(output.status.code == 4);
  CHECK(output.status.out_of_memory);
  CHECK(output.status.memory_limit == 16 << 20);
  CHECK(output.status.memory_peak > 8 << 20);
  CHECK(output.status.memory_peak <= 16 << 20);
}

TEST_CASE("limits: what one command did is not held against the next",
          "[runtime]") {
  NEED_SANDBOX();
  NEED_CGROUP("pids");
  Sandbox sandbox;
  NamespaceRunner runner(sandbox.dir() + "/state", {{.pids = 20}, ""});
  const auto run = [&](const std::string& script) {
    return runner.run(
        sandbox.spec(script), [](Stream, std::string_view) {}, nullptr);
  };
  CHECK(run("b() { b | b & }; b; sleep 0.2; false").out_of_processes);
  CHECK(groups() > 0);
  CHECK(!run("false").out_of_processes);
}

TEST_CASE("limits: a fork bomb is held by the default", "[runtime]") {
  NEED_SANDBOX();
  NEED_CGROUP("pids");
  Sandbox sandbox;
  // The root of its cgroup namespace, whichever version has the controller.
  const std::string seen =
      run_limited(sandbox, {}, "cat /proc/self/cgroup").out;
  const bool version_1 = seen.find(":pids:") != std::string::npos;
  CHECK(seen.find(version_1 ? ":pids:/\n" : "0::/\n") != std::string::npos);
  const auto settings = cgroup_settings({}, true);
  const auto limit = parse_number(settings.back().second);
  REQUIRE(limit);
  CHECK(*limit >= 1000);
  CHECK(*limit <= 16384);
  CHECK(groups() == 0);
}

TEST_CASE("limits: what cannot be set is an IsolationError", "[runtime]") {
  NEED_SANDBOX();
  NEED_CGROUP("cpuset");
  Sandbox sandbox;
  CHECK_THROWS_AS(run_limited(sandbox, {.cpuset_cpus = "4095"}, "true"),
                  IsolationError);
  CHECK(groups() == 0);
}

TEST_CASE("limits: the group of a killed runner goes with the next",
          "[runtime]") {
  NEED_SANDBOX();
  NEED_CGROUP("pids");
  Sandbox sandbox;
  const RunSpec spec = sandbox.spec("echo up; sleep 1000");
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    NamespaceRunner runner(sandbox.dir() + "/state");
    runner.run(
        spec, [&](Stream, std::string_view) { write_all(ends[1], "x", ""); },
        nullptr);
    ::_exit(0);
  }
  char byte;
  REQUIRE(read_some(ends[0], &byte, 1, "") == 1);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(groups_of(child) > 0);
  run_limited(sandbox, {}, "true");
  CHECK(groups_of(child) == 0);
}

}  // namespace cbuild::runtime
