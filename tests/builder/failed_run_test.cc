#include "builder/failed_run.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "fakes.h"
#include "store/prune.h"

namespace cbuild::builder {
namespace {

using testing::World;

const std::string kFile =
    "FROM scratch\nRUN write below one\nENV A=1\nWORKDIR /w\n"
    "RUN --mount=type=cache,target=/cache --mount=type=tmpfs,target=/t,size=1m "
    "--mount=type=secret,id=s,env=S,target=/s "
    "--mount=type=bind,source=sub,target=/b fail\n";

std::string keep(World& world) {
  world.file("sub/file", "x");
  world.request.keep_failed = true;
  try {
    world.build(kFile);
  } catch (const RunFailed& e) {
    return e.kept();
  }
  return "did not fail";
}

std::vector<std::string> notes_of(World& world, const DebugRequest& request) {
  std::vector<std::string> notes;
  debug_failed(
      world.store(), world.runner, find_failed(world.store(), ""), request,
      [](runtime::Stream, std::string_view) {},
      [&](const std::string& text) { notes.push_back(text); }, nullptr);
  return notes;
}

}  // namespace

TEST_CASE("a failing RUN leaves nothing unless that is asked for",
          "[builder]") {
  World world;
  CHECK_THROWS_AS(world.build("FROM scratch\nRUN fail\n"), RunFailed);
  CHECK(failed_runs(world.store()).empty());
  CHECK_THROWS_AS(find_failed(world.store(), ""), UsageError);
}

TEST_CASE("a kept RUN is entered as it was", "[builder]") {
  World world;
  ::setenv("CBUILD_TEST_SECRET", "geheim", 1);
  world.request.secrets["s"] = {SecretSource::Kind::environment,
                                "CBUILD_TEST_SECRET"};
  const std::string id = keep(world);
  const runtime::RunSpec then = world.runner.specs.back();
  const FailedRun kept = find_failed(world.store(), id.substr(0, 4));
  CHECK(kept.id == id);
  CHECK(kept.reason == "exit code: 7");
  for (const std::string& entry : kept.spec.env)
    CHECK(entry.find("geheim") == std::string::npos);

  DebugRequest request;
  request.command = {"/bin/ls", "-l"};
  request.secrets = world.request.secrets;
  CHECK(notes_of(world, request).empty());
  const runtime::RunSpec now = world.runner.specs.back();
  CHECK(now.argv == request.command);
  CHECK(now.env == then.env);
  CHECK(now.cwd == "/w");
  CHECK(now.root.lowers == then.root.lowers);
  CHECK(now.root.upper == world.store().root() + "/failed/" + id + "/upper");
  REQUIRE(now.mounts.size() == then.mounts.size());
  for (std::size_t i = 0; i < now.mounts.size(); ++i)
    CHECK(now.mounts[i].index() == then.mounts[i].index());
}

TEST_CASE("a secret that is not given again is told and left out",
          "[builder]") {
  World world;
  ::setenv("CBUILD_TEST_SECRET", "geheim", 1);
  world.request.secrets["s"] = {SecretSource::Kind::environment,
                                "CBUILD_TEST_SECRET"};
  keep(world);
  const auto notes = notes_of(world, {});
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].find("--secret id=s") != std::string::npos);
  CHECK(world.runner.specs.back().argv == std::vector<std::string>{"/bin/sh"});
}

TEST_CASE("prune keeps the layers below a kept RUN, or takes both",
          "[builder]") {
  World world;
  const std::string id = keep(world);
  store::prune(world.store(), {.unused_for = 3600});
  CHECK_NOTHROW(notes_of(world, {}));
  const auto report = store::prune(world.store(), {.unused_for = 0});
  CHECK(report.failed_runs == 1);
  CHECK(failed_runs(world.store()).empty());
  keep(world);
  remove_failed(world.store(), find_failed(world.store(), "").id);
  CHECK(failed_runs(world.store()).empty());
}

TEST_CASE("a layer that holds a secret is refused, wherever it is in it",
          "[builder]") {
  World world;
  ::setenv("CBUILD_TEST_SECRET", "geheim\n", 1);
  world.request.secrets["s"] = {SecretSource::Kind::environment,
                                "CBUILD_TEST_SECRET"};
  const std::string run = "FROM scratch\nRUN write a geheim\n";
  world.build(run + "LABEL x=1\n");
  world.request.refuse_secrets = true;
  world.request.no_cache = true;
  CHECK_THROWS_WITH(world.build(run), Catch::Contains("secret s is in /a"));
  // Where it is read in two pieces.
  world.file("b", std::string((1 << 20) - 3, 'x') + "geheim");
  CHECK_THROWS_WITH(world.build("FROM scratch\nCOPY b /d/\n"),
                    Catch::Contains("secret s is in /d/b"));
  world.build("FROM scratch\nRUN write a public\n");
  ::setenv("CBUILD_TEST_SECRET", "abc", 1);
  CHECK_THROWS_WITH(world.build(run), Catch::Contains("too short"));
}

}  // namespace cbuild::builder
