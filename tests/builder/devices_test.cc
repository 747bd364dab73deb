#include "builder/devices.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "builder/yaml.h"
#include "fakes.h"

namespace cbuild::builder {
namespace {

using testing::World;

class Specs {
 public:
  Specs() : dir_("/tmp", "cbuild-test-") {}
  void put(const std::string& name, const std::string& json) {
    std::ofstream(dir_.path() + "/" + name) << json;
  }
  std::vector<std::string> dirs() const {
    return {dir_.path() + "/none", dir_.path()};
  }
  std::vector<std::string> names(const std::string& name) const {
    std::vector<std::string> found;
    for (const DeviceEdits& edits : find_devices(dirs(), name))
      found.push_back(edits.name);
    return found;
  }

 private:
  TempDir dir_;
};

using Names = std::vector<std::string>;

constexpr const char* kTwo = R"({"cdiVersion": "0.6.0", "kind": "acme.org/gpu",
  "containerEdits": {"env": ["ACME=1"]},
  "devices": [
    {"name": "a", "annotations": {"org.mobyproject.buildkit.device.class": "gpu"},
     "containerEdits": {
       "deviceNodes": [{"path": "/dev/acme", "hostPath": "/dev/null",
                        "fileMode": 432, "gid": 44}],
       "mounts": [{"hostPath": "/usr/lib/x", "containerPath": "/lib/x",
                   "options": ["ro", "bind"]}]}},
    {"name": "b", "containerEdits": {"env": ["B=2"]}}]})";

}  // namespace

TEST_CASE("a device's name means one, all, the first, or a class",
          "[builder]") {
  Specs specs;
  specs.put("acme.json", kTwo);
  CHECK(specs.names("acme.org/gpu=b") == Names{"acme.org/gpu=b"});
  CHECK(specs.names("acme.org/gpu=*") ==
        Names{"acme.org/gpu=a", "acme.org/gpu=b"});
  CHECK(specs.names("acme.org/gpu") == Names{"acme.org/gpu=a"});
  CHECK(specs.names("gpu") == Names{"acme.org/gpu=a"});
  CHECK(specs.names("acme.org/gpu=c").empty());
}

TEST_CASE("a device brings variables, nodes and mounts", "[builder]") {
  Specs specs;
  specs.put("acme.json", kTwo);
  const DeviceEdits edits = find_devices(specs.dirs(), "acme.org/gpu=a").at(0);
  CHECK(edits.env == Names{"ACME=1"});
  REQUIRE(edits.nodes.size() == 1);
  CHECK(edits.nodes[0].path == "/dev/acme");
  CHECK(edits.nodes[0].major == 1);
  CHECK(edits.nodes[0].minor == 3);
  CHECK(edits.nodes[0].mode == 0660);
  CHECK(edits.nodes[0].gid == 44);
  REQUIRE(edits.mounts.size() == 1);
  CHECK(edits.mounts[0].target == "/lib/x");
  CHECK(edits.mounts[0].read_only);
}

TEST_CASE("a spec that cannot be followed is named", "[builder]") {
  Specs specs;
  specs.put("bad.json", "{");
  CHECK_THROWS_WITH(specs.names("x"), Catch::Contains("bad.json"));
  specs.put("bad.json", R"({"kind": "a/b", "devices": [{"name": "x",
    "containerEdits": {"hooks": [{"hookName": "createContainer"}]}}]})");
  CHECK_THROWS_WITH(specs.names("a/b=x"), Catch::Contains("hooks"));
  specs.put("bad.json", R"({"kind": "a/b", "devices": [{"name": "x",
    "containerEdits": {"deviceNodes": [{"path": "/etc/x"}]}}]})");
  CHECK_THROWS_WITH(specs.names("a/b=x"), Catch::Contains("not below /dev"));
  specs.put("bad.json", "{\"kind\": \"a/b\", \"devices\": []}");
  specs.put("more.yaml", "kind: a/c\ndevices: [\n");
  CHECK_THROWS_WITH(specs.names("a/c=x"),
                    Catch::Contains("more.yaml: line 3, column 1: "));
}

TEST_CASE("a spec may be YAML", "[builder]") {
  Specs specs;
  specs.put("acme.yaml", R"(---
cdiVersion: "0.6.0"
kind: acme.org/gpu
containerEdits: {env: [ACME=1]}
devices:
- name: "0"   # a number would not do
  containerEdits:
    deviceNodes: [&node {path: /dev/acme, hostPath: /dev/null, fileMode: 0660}]
- name: all
  containerEdits:
    deviceNodes:
    - <<: *node
      gid: 44
    mounts: [{hostPath: /usr/lib/x, containerPath: /lib/x, options: [ro]}]
)");
  const DeviceEdits edits =
      find_devices(specs.dirs(), "acme.org/gpu=all").at(0);
  CHECK(edits.env == Names{"ACME=1"});
  REQUIRE(edits.nodes.size() == 1);
  CHECK(edits.nodes[0].path == "/dev/acme");
  CHECK(edits.nodes[0].mode == 0660);
  CHECK(edits.nodes[0].gid == 44);
  REQUIRE(edits.mounts.size() == 1);
  CHECK(edits.mounts[0].read_only);
  CHECK(specs.names("acme.org/gpu=0") == Names{"acme.org/gpu=0"});
}

TEST_CASE("YAML means what JSON says", "[builder]") {
  struct Case {
    const char* yaml;
    const char* json;
  };
  const Case cases[] = {
      {"", "null"},
      {"a: 1\nb: [x, 'y', \"z\\n\"]", R"({"a":1,"b":["x","y","z\n"]})"},
      {"[yes, No, ~, '', 'true', !!str 1]",
       R"([true,false,null,"","true","1"])"},
      {"[0644, 0x1F, 0b11, 0o17, -12, +3, 1_000, 08]",
       R"([420,31,3,15,-12,3,1000,8.0])"},
      {"[1.5, 1e3, 1.2.3, 10.0.0.1, +, 0x, '7']",
       R"([1.5,1000.0,"1.2.3","10.0.0.1","+","0x","7"])"},
      {"18446744073709551615", "18446744073709551615"},
      {"a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}\nc: *x",
       R"({"a":{"k":1,"l":2},"b":{"k":3,"l":2},"c":{"k":1,"l":2}})"},
      {"text: |\n  two\n  lines\n", R"({"text":"two\nlines\n"})"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.yaml) { CHECK(yaml_to_json(c.yaml) == c.json); }
  }
  for (const char* bad : {"a: 1\na: 2", "[", "*none", "? [a]\n: b", "a\n---\nb",
                          "<<: 1", "\t- a"})
    DYNAMIC_SECTION(bad) { CHECK_THROWS_AS(yaml_to_json(bad), Error); }
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += (k == 0 ? "" : ", ") + below;
    bomb += "]\n";
  }
  CHECK_THROWS_WITH(yaml_to_json(bomb), Catch::Contains("too much"));
  CHECK_THROWS_WITH(yaml_to_json(std::string(1000, '[')),
                    Catch::Contains("too deeply"));
}

TEST_CASE("RUN --device needs --allow, and its device if required",
          "[builder]") {
  Specs specs;
  specs.put("acme.json", kTwo);
  World world;
  world.request.cdi_directories = specs.dirs();
  const std::string file = "FROM scratch\nRUN --device=acme.org/gpu=a use it\n";
  CHECK_THROWS_WITH(world.build(file), Catch::Contains("not allowed"));
  world.request.allowed_devices = {"acme.org/gpu=a"};
  world.build(file);
  REQUIRE(world.runner.specs.size() == 1);
  CHECK(world.runner.specs[0].devices.size() == 1);
  CHECK(world.runner.specs[0].env.back() == "ACME=1");
  world.build("FROM scratch\nRUN --device=acme.org/none echo\n");
  CHECK_THROWS_WITH(
      world.build("FROM scratch\nRUN --device=acme.org/none,required echo\n"),
      Catch::Contains("is not registered"));
}

TEST_CASE("an ssh mount without an agent is an error only if required",
          "[builder]") {
  World world;
  world.build("FROM scratch\nRUN --mount=type=ssh fetch\n");
  REQUIRE(world.runner.specs.size() == 1);
  CHECK(world.runner.specs[0].mounts.empty());
  CHECK(world.runner.specs[0].env.back() ==
        "SSH_AUTH_SOCK=/run/buildkit/ssh_agent.0");
  CHECK_THROWS_WITH(
      world.build("FROM scratch\nRUN --mount=type=ssh,id=k,required fetch\n"),
      Catch::Contains("no SSH key \"k\""));
}

TEST_CASE("an ssh mount has the first free name, mode 0600", "[builder]") {
  World world;
  world.request.ssh["default"] = {.socket = "/agent", .keys = {}};
  world.build(
      "FROM scratch\nENV SSH_AUTH_SOCK=/mine\n"
      "RUN --mount=type=ssh,target=/a --mount=type=ssh,mode=0444,uid=5 "
      "fetch\n");
  REQUIRE(world.runner.specs.size() == 1);
  const auto& mounts = world.runner.specs[0].mounts;
  REQUIRE(mounts.size() == 2);
  const auto& first = std::get<runtime::SocketMount>(mounts[0]);
  const auto& second = std::get<runtime::SocketMount>(mounts[1]);
  CHECK(first.target == "/a");
  CHECK(first.mode == 0600);
  CHECK(second.target == "/run/buildkit/ssh_agent.1");
  CHECK(second.mode == 0444);
  CHECK(second.uid == 5);
  for (const std::string& entry : world.runner.specs[0].env)
    CHECK((!entry.starts_with("SSH_AUTH_SOCK=") ||
           entry == "SSH_AUTH_SOCK=/mine"));
}

}  // namespace cbuild::builder
