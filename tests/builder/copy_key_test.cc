#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <functional>

#include "tests/builder/copy_fixture.h"

namespace cbuild::builder {
namespace {

using testing::copy_spec;
using testing::CopyWorld;
using testing::plant;

void plant_tree(const std::string& root) {
  plant(root, {{"d/", ""},
               {"d/f", "F"},
               {"d/g", "G"},
               {"d/s/h", "H"},
               {"d/l", "-> f"},
               {"z", "Z"}});
}

struct Change {
  const char* what;
  std::function<void(const std::string& root)> make;
  bool counts;
};

void run_sh(const std::string& root, const std::string& command) {
  REQUIRE(std::system(("cd " + root + " && " + command).c_str()) == 0);
}

Change shell(const char* command, bool counts) {
  return {command,
          [command](const std::string& root) { run_sh(root, command); },
          counts};
}

TEST_CASE("exactly what would land differently changes the key") {
  const Change changes[] = {
      shell("printf X >d/f", true),
      shell("mv d/f d/F", true),
      shell("chmod 600 d/f", true),
      shell("chmod 2755 d/s", true),
      shell("ln -sfn g d/l", true),
      shell("rm d/g && mkdir d/g", true),
      shell("mkdir d/empty", true),
      shell("mv d/g d/s/", true),
      shell("rm d/g && ln d/f d/g && printf G >d/x", true),
      shell("touch d/f d d/s", false),
      shell("printf F >d/n && mv d/n d/f", false),
      shell("printf X >z", false),
      shell("chmod 700 d", false),  // the top directory's mode does not land
  };
  for (const Change& change : changes) {
    INFO(change.what);
    CopyWorld world;
    plant_tree(world.context);
    const store::KeyInputs before = world.key(copy_spec({"d"}, "/o"));
    change.make(world.context);
    CHECK((world.key(copy_spec({"d"}, "/o")) != before) == change.counts);
  }
}

TEST_CASE("an attribute that lands changes the key, another does not") {
  CopyWorld world;
  plant_tree(world.context);
  const std::string file = world.context + "/d/f";
  const auto key = [&] { return world.key(copy_spec({"d"}, "/o")); };
  const auto before = key();
  if (::setxattr(file.c_str(), "user.note", "hi", 2, 0)) {
    WARN("SKIPPED: no extended attributes on the temporary directory");
    return;
  }
  const auto with_note = key();
  CHECK(with_note != before);
  REQUIRE(::setxattr(file.c_str(), "user.note", "ho", 2, 0) == 0);
  CHECK(key() != with_note);
  REQUIRE(::removexattr(file.c_str(), "user.note") == 0);
  CHECK(key() == before);
  // A label of the host's means nothing in an image.
  if (::setxattr(file.c_str(), "security.selinux", "x", 2, 0) == 0)
    CHECK(key() == before);
}

TEST_CASE("bits that --chmod and --chown override are out of the key") {
  CopyWorld world;
  plant_tree(world.context);
  CopySpec octal = copy_spec({"d"}, "/o");
  octal.chmod = "755";
  CopySpec symbolic = octal;
  symbolic.chmod = "go-w";
  const auto octal_before = world.key(octal);
  const auto symbolic_before = world.key(symbolic);
  run_sh(world.context, "chmod g+w d/f");
  CHECK(world.key(octal) == octal_before);
  CHECK(world.key(symbolic) == symbolic_before);
  run_sh(world.context, "chmod u+x d/f");
  CHECK(world.key(octal) == octal_before);
  CHECK(world.key(symbolic) != symbolic_before);
}

TEST_CASE("owners count from a stage, not from a context, not with --chown") {
  if (!testing::have_root()) return;
  CopyWorld world;
  plant_tree(world.context);
  CopySpec plain = copy_spec({"d"}, "/o");
  CopySpec owned = plain;
  owned.chown = "5:6";
  const auto keys = [&] {
    const FileView stage = testing::layers_of(world.context);
    return std::array{world.key(plain), copy_key_inputs(plain, stage),
                      copy_key_inputs(owned, stage)};
  };
  const auto before = keys();
  run_sh(world.context, "chown 7:8 d/f");
  const auto after = keys();
  CHECK(after[0] == before[0]);
  CHECK(after[1] != before[1]);
  CHECK(after[2] == before[2]);
}

TEST_CASE("the key of a copied tree is the same wherever it stands") {
  CopyWorld first;
  CopyWorld second;
  plant_tree(first.context);
  // Made in another order.
  plant(second.context, {{"z", "other"},
                         {"d/s/h", "H"},
                         {"d/l", "-> f"},
                         {"d/g", "G"},
                         {"d/f", "F"}});
  const CopySpec spec = copy_spec({"d"}, "/o");
  CHECK(first.key(spec) == second.key(spec));
}

TEST_CASE("excluded and ignored files are out of the key") {
  CopyWorld world;
  plant_tree(world.context);
  CopySpec spec = copy_spec({"."}, "/o");
  spec.exclude = {"d/s"};
  world.ignore = {"z"};
  const auto before = world.key(spec);
  run_sh(world.context, "printf X >d/s/h; printf X >z; chmod 600 z");
  CHECK(world.key(spec) == before);
  run_sh(world.context, "printf X >d/g");
  CHECK(world.key(spec) != before);
}

TEST_CASE("many new files give the same key as the same files known") {
  CopyWorld world;
  std::vector<testing::Node> nodes;
  for (int i = 0; i < 3000; ++i)
    nodes.push_back({"d/" + std::to_string(i % 7) + "/" + std::to_string(i),
                     std::to_string(i * 31)});
  plant(world.context, nodes);
  const FileView view = world.view();
  const CopySpec spec = copy_spec({"d"}, "/o");
  const auto first = copy_key_inputs(spec, view);
  CHECK(copy_key_inputs(spec, view) == first);
  CHECK(world.key(spec) == first);
  CHECK(copy_key_inputs(spec, testing::layers_of(world.context)).size() == 1);
}

TEST_CASE("each source and each heredoc is a named input of the key") {
  CopyWorld world;
  plant_tree(world.context);
  CopySpec spec = copy_spec({"d", "z", "no*"}, "/o/");
  spec.inline_files = {{"EOF", "text"}};
  const store::KeyInputs key = world.key(spec);
  REQUIRE(key.size() == 4);
  CHECK(key[0].first == "files d");
  CHECK(key[1].first == "files z");
  CHECK(key[2].first == "files no*");
  CHECK(key[3] == std::pair<std::string, std::string>(
                      "heredoc EOF", store::sha256("text").text()));
}

TEST_CASE("a file under another name is another input") {
  CopyWorld world;
  plant(world.context, {{"a/x", "1"}, {"a/y", "1"}, {"b/x", "1"}});
  const auto digest = [&](const char* source) {
    return world.key(copy_spec({source}, "/o/")).at(0).second;
  };
  CHECK(digest("a/x") != digest("a/y"));
  CHECK(digest("a/x") == digest("b/x"));
}

}  // namespace
}  // namespace cbuild::builder
