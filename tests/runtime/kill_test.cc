// However a build ends, nothing of its commands is left.
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <thread>

#include "base/error.h"
#include "sandbox.h"

namespace cbuild::runtime {
namespace {

using std::chrono::milliseconds;

// Processes whose command line holds `mark`.
int processes_with(const std::string& mark) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string command =
        read_file(entry.path() / "cmdline").value_or("");
    count += command.find(mark) != std::string::npos;
  }
  return count;
}

bool soon_none_with(const std::string& mark) {
  for (int i = 0; i < 100; ++i) {
    if (processes_with(mark) == 0) return true;
    std::this_thread::sleep_for(milliseconds(50));
  }
  return false;
}

// What a sandbox mounts has its directory as place or source; others of the
// machine come and go meanwhile.
bool is_mounted(const Sandbox& sandbox) {
  return read_file("/proc/self/mountinfo").value_or("").find(sandbox.dir()) !=
         std::string::npos;
}

// A tree of processes that a plain signal to the first would not end.
std::string stubborn(const std::string& mark) {
  return "trap '' TERM INT HUP; (sleep 1000." + mark + " & sleep 1000." + mark +
         ") & echo ready; sleep 1000." + mark;
}

}  // namespace

TEST_CASE("end: background processes die with the command", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const std::string mark = std::to_string(::getpid()) + "01";
  const Output output =
      sandbox.run("(sleep 1000." + mark + "; echo late) & echo early");
  CHECK(output.out == "early\n");
  CHECK(processes_with("1000." + mark) == 0);
}

TEST_CASE("stop: kills the whole tree and throws Interrupted", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const std::string mark = std::to_string(::getpid()) + "02";
  std::atomic<bool> stop = false;
  const RunSpec spec = sandbox.spec(stubborn(mark));
  CHECK_THROWS_AS(
      sandbox.runner().run(
          spec, [&](Stream, std::string_view) { stop = true; }, &stop),
      Interrupted);
  CHECK(processes_with("1000." + mark) == 0);
  CHECK_FALSE(is_mounted(sandbox));
}

TEST_CASE("stop: before the start", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const std::atomic<bool> stop = true;
  CHECK_THROWS_AS(sandbox.run(sandbox.spec("sleep 1000"), &stop), Interrupted);
}

TEST_CASE("end: an output sink that throws ends the command", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const std::string mark = std::to_string(::getpid()) + "03";
  CHECK_THROWS_WITH(
      sandbox.runner().run(
          sandbox.spec(stubborn(mark)),
          [](Stream, std::string_view) { throw Error("full"); }, nullptr),
      "full");
  CHECK(processes_with("1000." + mark) == 0);
}

TEST_CASE("SIGKILL of cbuild at any moment takes its commands with it",
          "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const std::string mark = std::to_string(::getpid()) + "04";
  for (int round = 0; round < 20; ++round) {
    RunSpec spec = sandbox.spec(stubborn(mark));
    spec.network = round % 2 ? NetworkMode::egress : NetworkMode::none;
    spec.user = round % 3 ? "" : "app";
    const pid_t child = ::fork();
    REQUIRE(child != -1);
    if (child == 0) {
      try {
        NamespaceRunner runner(sandbox.dir() + "/state");
        runner.run(
            spec, [](Stream, std::string_view) {}, nullptr);
      } catch (...) {
      }
      ::_exit(0);
    }
    // From within the set-up to long after the exec.
    std::this_thread::sleep_for(std::chrono::microseconds(500 * round * round));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  CHECK(soon_none_with("1000." + mark));
  CHECK_FALSE(is_mounted(sandbox));
}

// Executing a setuid program clears PR_SET_PDEATHSIG of the command's first
// process.
TEST_CASE("SIGKILL of cbuild takes a setuid command with it", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const std::string mark = std::to_string(::getpid()) + "05";
  RunSpec spec = sandbox.spec("");
  std::filesystem::copy_file(sandbox.root() + "/bin/busybox",
                             sandbox.root() + "/sleep");
  ::chmod((sandbox.root() + "/sleep").c_str(), 04755);
  spec.argv = {"/sleep", "1000." + mark};
  spec.user = "app";
  const pid_t child = ::fork();
  REQUIRE(child != -1);
  if (child == 0) {
    NamespaceRunner runner(sandbox.dir() + "/state");
    runner.run(
        spec, [](Stream, std::string_view) {}, nullptr);
    ::_exit(0);
  }
  for (int i = 0; i < 1000 && processes_with("1000." + mark) == 0; ++i)
    std::this_thread::sleep_for(milliseconds(10));
  REQUIRE(processes_with("1000." + mark) == 1);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(soon_none_with("1000." + mark));
}

}  // namespace cbuild::runtime
