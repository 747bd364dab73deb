// Running other programs.
#include "base/process.h"

#include <catch2/catch.hpp>
#include <cerrno>

#include "base/error.h"

namespace cbuild {
namespace {

TEST_CASE("a program's output, errors and exit code", "[base]") {
  const ProgramResult result = run_program(
      {.argv = {"sh", "-c", "cat; echo err >&2; exit 3"}, .input = "in"});
  CHECK(result.output == "in");
  CHECK(result.errors == "err\n");
  CHECK(result.exit_code == 3);
  CHECK(run_program({.argv = {"sh", "-c", "kill -9 $$"}}).exit_code == 137);
}

TEST_CASE("a program's environment, directory and umask", "[base]") {
  const ProgramResult result = run_program(
      {.argv = {"sh", "-c", "echo $X; pwd; umask"},
       .environment = std::vector<std::string>{"X=1", "PATH=/usr/bin:/bin"},
       .directory = "/",
       .umask = 027});
  CHECK(result.output == "1\n/\n0027\n");
}

TEST_CASE("a program that is not there", "[base]") {
  try {
    run_program({.argv = {"no-such-program-here"}});
    FAIL("started");
  } catch (const SystemError& e) {
    CHECK(e.code() == ENOENT);
  }
}

TEST_CASE("a program ends with all it started once it is to stop", "[base]") {
  std::atomic<bool> stop = true;
  CHECK_THROWS_AS(
      run_program({.argv = {"sh", "-c", "sleep 600 & sleep 600"}}, &stop),
      Interrupted);
}

TEST_CASE("more output than a pipe holds, on both ends", "[base]") {
  const ProgramResult result = run_program(
      {.argv = {"sh", "-c",
                "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2"}});
  CHECK(result.output.size() == 300000);
  CHECK(result.errors.size() == 300000);
}

}  // namespace
}  // namespace cbuild
