#include "cli/run_flags.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "base/dir.h"
#include "cli/build_flags.h"
#include "runtime/socket_forward.h"

namespace cbuild::cli {
namespace {

using Words = std::vector<std::string>;

Arguments arguments(Words words) {
  words.emplace_back("/");
  return parse(kBuildFlags, words);
}

runtime::Resources resources(const Words& words) {
  return runner_options(arguments(words)).resources;
}

template <typename Read>
std::string failure(Read&& read, const Words& words) {
  try {
    read(arguments(words));
  } catch (const UsageError& e) {
    return e.what();
  }
  return "accepted";
}

std::string limit_failure(const Words& words) {
  return failure([](const Arguments& a) { runner_options(a); }, words);
}

builder::BuildRequest request(const Words& words) {
  builder::BuildRequest request;
  read_run_flags(arguments(words), request);
  return request;
}

std::string run_failure(const Words& words) {
  return failure(
      [](const Arguments& a) {
        builder::BuildRequest request;
        read_run_flags(a, request);
      },
      words);
}

}  // namespace

TEST_CASE("limits are docker's flags, one by one or by --resource", "[cli]") {
  const auto one = resources({"-m", "64m", "--memory-swap=-1", "-c", "512",
                              "--cpu-period", "1000", "--cpu-quota", "500",
                              "--cpuset-cpus", "0-1,3", "--pids-limit", "10"});
  CHECK(one.memory == 64 << 20);
  CHECK(one.memory_swap == -1);
  CHECK(one.cpu_shares == 512);
  CHECK(one.cpu_period == 1000);
  CHECK(one.cpu_quota == 500);
  CHECK(one.cpuset_cpus == "0-1,3");
  CHECK(one.pids == 10);
  const auto two = resources(
      {"--resource", "memory=1g,cpu-shares=2", "--resource", "cpuset-mems=0"});
  CHECK(two.memory == 1 << 30);
  CHECK(two.cpu_shares == 2);
  CHECK(two.cpuset_mems == "0");
  CHECK(resources({"--cpus", "1.5"}).cpu_quota == 150000);
  CHECK(resources({}).memory == 0);
}

TEST_CASE("a limit that is none names its flag", "[cli]") {
  CHECK(limit_failure({"--memory", "lots"}) ==
        "invalid argument \"lots\" for --memory: want bytes, such as 512m");
  CHECK(limit_failure({"--cpus", "0"}).find("--cpus") != std::string::npos);
  CHECK(limit_failure({"--cpuset-cpus", "a"}).find("0-2,5") !=
        std::string::npos);
  CHECK(
      limit_failure({"--resource", "memroy=1g"}).find("did you mean memory") !=
      std::string::npos);
  CHECK(limit_failure({"-m", "2g", "--memory-swap", "1g"}) ==
        "--memory-swap is memory and swap: it cannot be less than --memory");
  CHECK(limit_failure({"--cpus", "1", "--cpu-quota", "5"}) != "accepted");
}

TEST_CASE("what is allowed is named one by one", "[cli]") {
  CHECK(!request({}).allow_devices);
  CHECK(request({"--allow", "device"}).allow_devices);
  CHECK(request({"--allow", "device=acme.org/gpu=a"}).allowed_devices ==
        Words{"acme.org/gpu=a"});
  CHECK(request({"--cdi-config-dir", "/x"}).cdi_directories == Words{"/x"});
  CHECK(run_failure({"--allow", "devices"}).find("did you mean device") !=
        std::string::npos);
}

TEST_CASE("--ssh is an agent's socket or keys, SSH_AUTH_SOCK by itself",
          "[cli]") {
  const TempDir dir("/tmp", "cbuild-test-");
  const std::string agent = dir.path() + "/agent";
  const std::string key = dir.path() + "/key";
  const Fd listening = runtime::listen_at(agent);
  std::ofstream(key) << "key";
  ::setenv("SSH_AUTH_SOCK", agent.c_str(), 1);
  CHECK(request({"--ssh", "default"}).ssh.at("default").socket == agent);
  ::unsetenv("SSH_AUTH_SOCK");
  CHECK(run_failure({"--ssh", "default"}).find("SSH_AUTH_SOCK") !=
        std::string::npos);
  const auto ssh =
      request({"--ssh", "a=" + agent, "--ssh", "b=" + key + "," + key}).ssh;
  CHECK(ssh.at("a").socket == agent);
  CHECK(ssh.at("b").keys == Words{key, key});
  CHECK(run_failure({"--ssh", "a=" + agent + "," + key}).find("alone") !=
        std::string::npos);
  CHECK(run_failure({"--ssh", "a=" + key + ".none"}).find("No such file") !=
        std::string::npos);
  CHECK(run_failure({"--ssh", "a=" + key, "--ssh", "a=" + key}) != "accepted");
}

TEST_CASE("--add-host knows this machine", "[cli]") {
  CHECK(request({"--add-host", "Me:host-gateway"}).extra_hosts.at(0) ==
        std::pair{std::string("me"), std::string("host-gateway")});
}

}  // namespace cbuild::cli
