#include "base/cgroups.h"

#include <catch2/catch.hpp>

namespace cbuild {

TEST_CASE("cgroups: version 1, two controllers in one hierarchy", "[cgroups]") {
  const auto found = parse_cgroups(
      "30 23 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n"
      "31 30 0:27 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup "
      "rw,memory\n"
      "32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup "
      "rw,cpu,cpuacct\n",
      "5:memory:/job/7\n3:cpu,cpuacct:/\n1:name=systemd:/init.scope\n");
  REQUIRE(found.size() == 2);
  CHECK(found[0].has("memory"));
  CHECK(!found[0].version_2);
  CHECK(found[0].own == "/sys/fs/cgroup/memory/job/7");
  CHECK(found[1].has("cpu"));
  CHECK(found[1].has("cpuacct"));
  CHECK(found[1].own == "/sys/fs/cgroup/cpu,cpuacct");
}

TEST_CASE("cgroups: version 2, whole and beside version 1", "[cgroups]") {
  const auto found = parse_cgroups(
      "31 30 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n",
      "0::/user.slice/a:b.scope\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0].version_2);
  CHECK(found[0].own == "/sys/fs/cgroup/user.slice/a:b.scope");
}

// A container without a cgroup namespace sees the host's path, but only its
// own part of the hierarchy is mounted.
TEST_CASE("cgroups: only a part is mounted", "[cgroups]") {
  const auto found = parse_cgroups(
      "31 30 0:27 /docker/abc /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n",
      "8:pids:/docker/abc/inner\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0].own == "/sys/fs/cgroup/pids/inner");
}

TEST_CASE("cgroups: at least one processor, and no more than there are",
          "[cgroups]") {
  CHECK(usable_cpus() >= 1);
  CHECK(usable_cpus() <= 4096);
}

}  // namespace cbuild
