#include "runtime/emulation.h"

#include <sys/utsname.h>

#include <catch2/catch.hpp>

namespace cbuild::runtime {
namespace {

// As Debian's qemu-user-static registers them.
constexpr const char* kArm64 =
    "enabled\ninterpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P\n"
    "flags: POCF\noffset 0\n"
    "magic 7f454c460201010000000000000000000200b700\n"
    "mask ffffffffffffff00fffffffffffffffffeffffff\n";
constexpr const char* kS390x =
    "enabled\ninterpreter /usr/bin/qemu-s390x-static\nflags: \noffset 0\n"
    "magic 7f454c4602020100000000000000000000020016\n"
    "mask ffffffffffffff00fffffffffffffffffffeffff\n";

}  // namespace

TEST_CASE("emulation: a handler takes its own architecture only", "[runtime]") {
  CHECK(handles(kArm64, "arm64"));
  CHECK(!handles(kArm64, "arm"));
  CHECK(!handles(kArm64, "amd64"));
  CHECK(handles(kS390x, "s390x"));
  CHECK(!handles(kS390x, "arm64"));
  CHECK(!handles("disabled" + std::string(kArm64).substr(7), "arm64"));
  CHECK(!handles("enabled\ninterpreter /x\nflags: \nextension .py\n", "arm64"));
}

TEST_CASE("emulation: only a preloaded emulator works in a container",
          "[runtime]") {
  CHECK(works_in_containers(kArm64));
  CHECK(!works_in_containers(kS390x));
}

TEST_CASE("emulation: the machine's own architecture needs none", "[runtime]") {
  utsname name;
  REQUIRE(::uname(&name) == 0);
  const std::string machine = name.machine;
  if (machine == "x86_64") {
    CHECK(missing_emulator("amd64").empty());
    CHECK(missing_emulator("386").empty());
  }
  if (machine == "aarch64") CHECK(missing_emulator("arm64").empty());
  CHECK(missing_emulator("wasm").empty());
}

}  // namespace cbuild::runtime
