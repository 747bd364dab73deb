// SOURCE_DATE_EPOCH that names a source.
#include <catch2/catch.hpp>

#include "copy_fixture.h"
#include "fakes.h"
#include "tests/support/git_server.h"

namespace cbuild::builder {
namespace {

using testing::World;

const std::string kDate = "Tue, 14 Nov 2023 22:13:20 GMT";
const std::string kText =
    "FROM scratch\nARG SOURCE_DATE_EPOCH\nRUN write a 1\n";

// When the image says it was made, and what RUN saw.
struct Made {
  std::string created;
  std::string variable;
};

Made make(World& world, const std::string& epoch,
          const std::string& text = kText) {
  world.request.no_cache = true;
  world.request.build_args = {{"SOURCE_DATE_EPOCH", epoch}};
  Made made{world.config(world.build(text)).created, "unset"};
  for (const std::string& entry : world.runner.specs.back().env)
    if (entry.starts_with("SOURCE_DATE_EPOCH="))
      made.variable = entry.substr(18);
  return made;
}

TEST_CASE("the epoch of a URL is Last-Modified", "[builder]") {
  World world;
  world.web.files["http://h/x"] = {"1", "", kDate, ""};
  world.request.build_contexts = {{"src", "http://h/x"}};
  const Made made = make(world, "src");
  CHECK(made.created == "2023-11-14T22:13:20Z");
  CHECK(made.variable == "1700000000");
}

TEST_CASE("the epoch of an archive without a date is its newest file's",
          "[builder]") {
  World world;
  testing::plant(world.context, {{"a", "1"}});
  const test::Finished tar =
      test::run_program({"tar", "-C", world.context, "-cz", "."});
  world.web.files["http://h/x"] = {tar.output, "", "", ""};
  world.request.build_contexts = {{"src", "http://h/x"}};
  CHECK(make(world, "src").variable == std::to_string(testing::kMtime));
}

TEST_CASE("a directory has no epoch, and what is nothing is refused",
          "[builder]") {
  World world;
  world.request.build_contexts = {{"dir", world.context}};
  CHECK(make(world, "context").variable == "");
  CHECK(make(world, "dir").variable == "");
  CHECK_THROWS_WITH(make(world, "nothing"),
                    "invalid SOURCE_DATE_EPOCH: nothing");
}

TEST_CASE("the epoch of a stage is that of its one ADD", "[builder]") {
  World world;
  world.web.files["http://h/x"] = {"1", "", kDate, ""};
  const auto with = [](const std::string& stage) {
    return "FROM scratch AS src\n" + stage + kText;
  };
  CHECK(make(world, "src", with("ARG U=http://h/x\nADD $U /\n")).created ==
        "2023-11-14T22:13:20Z");
  const auto refuses = [&](const std::string& stage, const char* words) {
    CHECK_THROWS_WITH(make(world, "src", with(stage)), Catch::Contains(words));
  };
  refuses("", "must contain exactly one remote ADD");
  refuses("ADD http://h/x /\nADD http://h/x /\n", "exactly one remote ADD");
  refuses("ADD a /\n", "must be a single HTTP(S) or Git ADD");
  refuses("RUN x\n", "source-only requirements");
  CHECK_THROWS_WITH(
      make(world, "src", "FROM x AS src\nADD http://h/x /\n" + kText),
      Catch::Contains("must use FROM scratch"));
}

TEST_CASE("the epoch of a git context is its commit's, as are its files'",
          "[builder]") {
  if (!testing::have_root() || !test::GitServer::available()) return;
  World world;
  test::GitServer server;
  BuildRequest request;
  request.context = server.url() + "?tag=v1&submodules=0";
  request.dockerfile_text = "FROM scratch\nCOPY a dir /\n";
  request.build_args = {{"SOURCE_DATE_EPOCH", "context"}};
  BuildEnvironment environment{
      {world.store(), world.images, world.web, world.progress}, world.runner};
  const BuildResult result = builder::build(request, environment);
  CHECK(world.config(result).created == "2020-09-13T12:26:40Z");
  const auto layer = world.store().layers.list().front();
  CHECK(world.store().layers.index(layer)->find("a")->mtime_seconds ==
        1600000000);
}

}  // namespace
}  // namespace cbuild::builder
