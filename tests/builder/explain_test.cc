// What a build says of each of its steps: cached, rebuilt and why.
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "fakes.h"

namespace cbuild::builder {
namespace {

using testing::World;
using Outcome = StepReport::Outcome;

StepReport report(const BuildResult& result, const std::string& part) {
  for (const StepReport& step : result.steps)
    if (step.name.find(part) != std::string::npos) return step;
  FAIL("no step " << part);
  return {};
}

std::string reason(const BuildResult& result, const std::string& part) {
  const StepReport step = report(result, part);
  return step.reasons.empty() ? "" : step.reasons.front();
}

const char* const kText =
    "FROM scratch\nARG SHA\nCOPY src /src\nRUN write a 1\nRUN write b 1\n";

TEST_CASE("a rebuilt step names the first input that differs", "[explain]") {
  World world;
  world.file("src/a.c", "1");
  world.file("src/b.c", "1");
  world.request.build_args = {{"SHA", "one"}};
  CHECK(reason(world.build(kText), "RUN write a") ==
        "no earlier build of it is known");

  SECTION("nothing") {
    const BuildResult result = world.build(kText);
    CHECK(report(result, "COPY").outcome == Outcome::cached);
    CHECK(report(result, "RUN write b").outcome == Outcome::cached);
    CHECK(reason(result, "RUN write b").empty());
  }
  SECTION("a build argument") {
    world.request.build_args = {{"SHA", "two"}};
    const BuildResult result = world.build(kText);
    CHECK(report(result, "COPY").outcome == Outcome::cached);
    CHECK(reason(result, "RUN write a") == "ARG SHA \"one\" -> \"two\"");
  }
  SECTION("a file's content, and what stands on it") {
    world.file("src/a.c", "2");
    const BuildResult result = world.build(kText);
    CHECK(reason(result, "COPY") == "src/a.c: content");
    CHECK(reason(result, "RUN write a") ==
          "what it stands on was rebuilt: [1/3] COPY src /src");
  }
  SECTION("a file's mode") {
    ::chmod((world.context + "/src/a.c").c_str(), 0600);
    CHECK(reason(world.build(kText), "COPY") == "src/a.c: mode 0644 -> 0600");
  }
  SECTION("a command") {
    const BuildResult result = world.build(
        "FROM scratch\nARG SHA\nCOPY src /src\nRUN write a 2\nRUN write b 1\n");
    CHECK(reason(result, "RUN write a") ==
          "command \"/bin/sh -c write a 1\" -> \"/bin/sh -c write a 2\"");
  }
  SECTION("--no-cache") {
    world.request.no_cache = true;
    CHECK(reason(world.build(kText), "COPY") == "--no-cache");
  }
  SECTION("a record that is gone") {
    for (const auto& record : world.store().steps.list())
      world.store().steps.remove(record.key);
    CHECK(reason(world.build(kText), "COPY") ==
          "its result is not kept any more");
  }
}

TEST_CASE("a failed step is compared with the last time it worked",
          "[explain]") {
  World world;
  world.build("FROM scratch\nRUN write a 1\n");
  CHECK_THROWS_AS(world.build("FROM scratch\nRUN fail\n"), RunFailed);
  CHECK(reason(world.build("FROM scratch\nRUN write a 2\n"), "RUN") ==
        "command \"/bin/sh -c write a 1\" -> \"/bin/sh -c write a 2\"");
}

TEST_CASE("without an earlier build the nearest record explains", "[explain]") {
  World world;
  world.request.build_args = {{"SHA", "one"}};
  const std::string text = "FROM scratch AS s\nARG SHA\nRUN write a 1\n";
  world.build(text);
  world.request.target = "s";  // another build of the same Dockerfile
  world.request.build_args = {{"SHA", "two"}};
  world.request.explain = true;
  CHECK(reason(world.build(text), "RUN") == "ARG SHA \"one\" -> \"two\"");
}

TEST_CASE("--expect-cached fails before anything runs, with the reason",
          "[explain]") {
  World world;
  const std::string text =
      "FROM scratch AS deps\nRUN write a 1\nFROM deps AS app\nRUN write b 1\n";
  world.build(text);
  world.request.expect_cached.emplace();
  CHECK_NOTHROW(world.build(text));
  const std::string other =
      "FROM scratch AS deps\nRUN write a 1\nFROM deps AS app\nRUN write b 2\n";
  world.request.expect_cached = {"deps"};
  CHECK_NOTHROW(world.build(other));
  world.request.expect_cached = {"app"};
  CHECK_THROWS_WITH(
      world.build("FROM scratch AS deps\nRUN write a 1\n"
                  "FROM deps AS app\nRUN write b 3\n"),
      Catch::Contains("not cached: [app 1/1] RUN write b 3") &&
          Catch::Contains("because: command \"/bin/sh -c write b 2\""));
  CHECK(world.runner.commands.empty());
  world.request.expect_cached = {"apq"};
  CHECK_THROWS_WITH(world.build(other),
                    Catch::Contains("no step of such a stage (did you mean "
                                    "app?)"));
}

TEST_CASE("the end of a build names the first step that was rebuilt",
          "[explain]") {
  World world;
  world.build("FROM scratch\nRUN write a 1\n");
  world.build("FROM scratch\nRUN write a 2\n");
  std::string said;
  for (const Event& event : world.progress.events)
    if (const auto* message = std::get_if<MessageEvent>(&event))
      said += message->text + "\n";
  CHECK_THAT(said, Catch::Contains("first rebuilt: [1/1] RUN write a 2: "
                                   "command"));
}

TEST_CASE("two builds that are cached throughout write nothing", "[explain]") {
  World world;
  world.build("FROM scratch\nRUN write a 1\n");
  world.build("FROM scratch\nRUN write a 1\n");
  const std::string contexts = world.store().root() + "/contexts";
  struct stat before = {}, after = {};
  REQUIRE(::stat(contexts.c_str(), &before) == 0);
  world.build("FROM scratch\nRUN write a 1\n");
  REQUIRE(::stat(contexts.c_str(), &after) == 0);
  CHECK(before.st_mtim.tv_sec == after.st_mtim.tv_sec);
  CHECK(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
}

}  // namespace
}  // namespace cbuild::builder
