#include "runtime/cgroup_tree.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/dir.h"
#include "base/error.h"
#include "base/text.h"

namespace cbuild::runtime {
namespace {

// Directories that look like a hierarchy of version 2 mounted at /.
struct FakeTree {
  TempDir dir{"/tmp", "cgroups-"};

  void group(const std::string& path, const std::string& enabled) {
    make_dirs(dir.path() + path);
    file(path + "/cgroup.subtree_control", enabled);
  }
  void file(const std::string& path, const std::string& text) {
    const Fd out =
        open_path(dir.path() + path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    write_all(out.get(), text, path);
  }
  std::string text(const std::string& path) {
    return read_file(dir.path() + path).value_or("(none)");
  }
  bool has(const std::string& path) {
    return ::access((dir.path() + path).c_str(), F_OK) == 0;
  }
  CgroupHierarchy hierarchy(const std::string& own) {
    return {true, {}, dir.path(), dir.path() + own};
  }
};

}  // namespace

TEST_CASE("control groups: where they are made", "[runtime]") {
  FakeTree tree;
  const std::string top = tree.dir.path();
  CHECK(cgroup_base(tree.hierarchy("/a/b"), "") == top + "/a");
  CHECK(cgroup_base(tree.hierarchy("/a"), "") == top);
  CHECK(cgroup_base(tree.hierarchy(""), "") == top);
  CHECK(cgroup_base({false, {}, top, top + "/a/b"}, "") == top + "/a/b");
  CHECK(cgroup_base(tree.hierarchy("/a/b"), "../x/y") == top + "/x/y");
  CHECK(tree.has("/x/y"));
}

TEST_CASE("control groups: controllers are enabled at each level",
          "[runtime]") {
  FakeTree tree;
  tree.group("", "cpuset cpu memory pids\n");
  tree.group("/a", "");
  tree.group("/a/b", "");
  enable_controllers(tree.hierarchy("/a/b/c"), tree.dir.path() + "/a/b",
                     {"cpuset"}, false);
  CHECK(tree.text("/cgroup.subtree_control") == "cpuset cpu memory pids\n");
  CHECK(tree.text("/a/cgroup.subtree_control") == "+cpuset");
  CHECK(tree.text("/a/b/cgroup.subtree_control") == "+cpuset");
  CHECK_THROWS_AS(enable_controllers(tree.hierarchy("/a"),
                                     tree.dir.path() + "/none", {"pids"}, true),
                  SystemError);
}

TEST_CASE("control groups: limits go from group to group", "[runtime]") {
  FakeTree tree;
  for (const char* group : {"/a", "/b"}) {
    tree.group(group, "");
    tree.file(std::string(group) + "/memory.max", "max\n");
    tree.file(std::string(group) + "/cpu.max", "max 100000\n");
  }
  tree.file("/a/memory.max", "1048576\n");
  copy_cgroup_limits(tree.dir.path() + "/a", tree.dir.path() + "/b");
  CHECK(tree.text("/b/memory.max").starts_with("1048576"));
  CHECK(tree.text("/b/cpu.max") == "max 100000\n");
  CHECK_FALSE(tree.has("/b/pids.max"));
}

TEST_CASE("control groups: what processes left that are no more is removed",
          "[runtime]") {
  FakeTree tree;
  const std::string own = new_cgroup_name();
  CHECK(own != new_cgroup_name());
  const std::vector<std::string> parts = split(own, '.');
  REQUIRE(parts.size() == 5);
  const std::string of_ended = "cbuild." + parts[1] + "." + parts[2] + ".1.0";
  const std::string elsewhere = "cbuild.1." + parts[2] + ".1.0";
  for (const std::string& name : {own, of_ended, elsewhere})
    make_dirs(tree.dir.path() + "/" + name + "/0");
  sweep_cgroups(tree.dir.path());
  CHECK(tree.has("/" + own + "/0"));
  CHECK(tree.has("/" + elsewhere + "/0"));
  CHECK_FALSE(tree.has("/" + of_ended));
}

TEST_CASE("control groups: a group is removed with its object", "[runtime]") {
  FakeTree tree;
  const std::string path = tree.dir.path() + "/g";
  {
    CgroupDir group(path);
    const CgroupDir moved(std::move(group));
    CHECK(tree.has("/g"));
    CHECK_THROWS_AS(CgroupDir(path), SystemError);
    CHECK(tree.has("/g"));
  }
  CHECK_FALSE(tree.has("/g"));
}

}  // namespace cbuild::runtime
