// What a build runs, keeps and publishes, with the kernel faked.
#include <algorithm>
#include <catch2/catch.hpp>

#include "fakes.h"

namespace cbuild::builder {
namespace {

using testing::World;
using Commands = std::vector<std::string>;

TEST_CASE("a second build of the same thing runs nothing", "[builder]") {
  World world;
  world.file("a", "1");
  const std::string text =
      "FROM scratch\nCOPY a /a\nRUN write one 1\nENV X=1\nRUN write two 2\n";
  const BuildResult first = world.build(text);
  CHECK(world.runner.commands == Commands{"write one 1", "write two 2"});
  const BuildResult second = world.build(text);
  CHECK(world.runner.commands.empty());
  CHECK(second.executed == 0);
  CHECK(second.manifest.digest == first.manifest.digest);
}

TEST_CASE("a changed file misses its COPY and what stands on it", "[builder]") {
  World world;
  world.file("a", "1");
  world.file("b", "1");
  const std::string text =
      "FROM scratch\nRUN write below 1\nCOPY a /a\nRUN write above 1\n";
  world.build(text);
  world.file("b", "2");
  world.build(text);
  CHECK(world.runner.commands.empty());
  world.file("a", "2");
  world.build(text);
  CHECK(world.runner.commands == Commands{"write above 1"});
}

TEST_CASE("each flag of a COPY that changes what lands is an input of its key",
          "[builder]") {
  World world;
  world.file("d/a", "1");
  const std::string text[] = {"COPY d /o",
                              "COPY --chown=1:2 d /o",
                              "COPY --chown=1:3 d /o",
                              "COPY --chmod=700 d /o",
                              "COPY --chmod=u=rwX d /o",
                              "COPY --parents d /o",
                              "COPY --exclude=a d /o",
                              "COPY --link d /o",
                              "COPY d /p",
                              "COPY d/a /o",
                              "ADD d /q",
                              "COPY <<E /o\n1\nE",
                              "COPY <<E /o\n2\nE"};
  for (const std::string& copy : text) {
    INFO(copy);
    CHECK(world.build("FROM scratch\n" + copy + "\n").executed == 1);
  }
  for (const std::string& copy : text) {
    INFO(copy);
    CHECK(world.build("FROM scratch\n" + copy + "\n").executed == 0);
  }
}

TEST_CASE("LABEL above a RUN is no reason to run it again, ENV is",
          "[builder]") {
  World world;
  world.build("FROM scratch\nLABEL a=1\nENV e=1\nRUN write x 1\n");
  world.build("FROM scratch\nLABEL a=2\nENV e=1\nRUN write x 1\n");
  CHECK(world.runner.commands.empty());
  world.build("FROM scratch\nLABEL a=2\nENV e=2\nRUN write x 1\n");
  CHECK(world.runner.commands == Commands{"write x 1"});
}

TEST_CASE("switches of BuildKit's scanner are no environment", "[builder]") {
  World world;
  world.build(
      "FROM scratch\nARG BUILDKIT_SBOM_SCAN_STAGE=true OTHER=1\n"
      "RUN one $BUILDKIT_SBOM_SCAN_STAGE\n");
  const auto& env = world.runner.specs.front().env;
  CHECK(std::find(env.begin(), env.end(), "OTHER=1") != env.end());
  CHECK(std::none_of(env.begin(), env.end(), [](const std::string& variable) {
    return variable.starts_with("BUILDKIT_SBOM");
  }));
}

TEST_CASE("an ARG in scope counts for a RUN, a proxy does not", "[builder]") {
  World world;
  const std::string text = "FROM scratch\nARG V\nRUN write x 1\n";
  world.request.build_args = {{"V", "1"}};
  world.build(text);
  world.request.build_args = {{"V", "1"}, {"HTTP_PROXY", "http://p"}};
  world.build(text);
  CHECK(world.runner.commands.empty());
  world.request.build_args = {{"V", "2"}, {"HTTP_PROXY", "http://p"}};
  world.build(text);
  REQUIRE(world.runner.commands == Commands{"write x 1"});
  const auto& env = world.runner.specs.front().env;
  CHECK(std::find(env.begin(), env.end(), "http_proxy=http://p") != env.end());
}

TEST_CASE("stages the target does not need are not run", "[builder]") {
  World world;
  const std::string text =
      "FROM scratch AS a\nRUN write a 1\n"
      "FROM scratch AS unused\nRUN write unused 1\n"
      "FROM scratch\nCOPY --from=a /a /a\n";
  world.build(text);
  CHECK(world.runner.commands == Commands{"write a 1"});
  world.request.target = "unused";
  world.build(text);
  CHECK(world.runner.commands == Commands{"write unused 1"});
}

TEST_CASE("COPY --from of an unchanged subtree is kept though its stage ran",
          "[builder]") {
  World world;
  const std::string tail =
      "FROM scratch\nCOPY --from=a /same /same\nRUN write after 1\n";
  world.build("FROM scratch AS a\nRUN write same 1\nRUN write other 1\n" +
              tail);
  world.build("FROM scratch AS a\nRUN write same 1\nRUN write other 2\n" +
              tail);
  CHECK(world.runner.commands == Commands{"write other 2"});
}

TEST_CASE("stages that do not need each other run at the same time",
          "[builder]") {
  World world;
  world.request.jobs = 4;
  CHECK_NOTHROW(
      world.build("FROM scratch AS a\nRUN write a 1\nRUN meet a\n"
                  "FROM scratch AS b\nRUN write b 1\nRUN meet b\n"
                  "FROM scratch\nCOPY --from=a /a /a\nCOPY --from=b /b /b\n"));
}

TEST_CASE("a linked copy is kept when what is below it changes", "[builder]") {
  World world;
  world.file("a", "1");
  const auto text = [](const std::string& n) {
    return "FROM scratch\nRUN write x " + n +
           "\nCOPY --link a /a\nRUN write y 1\n";
  };
  world.build(text("1"));
  const BuildResult result = world.build(text("2"));
  CHECK(world.runner.commands == Commands{"write x 2", "write y 1"});
  CHECK(result.executed == 2);
}

TEST_CASE("--no-cache runs everything again, for the stages asked for",
          "[builder]") {
  World world;
  const std::string text =
      "FROM scratch AS a\nRUN write a 1\nFROM scratch AS b\nRUN write b 1\n"
      "COPY --from=a /a /a\n";
  world.build(text);
  world.request.no_cache_filter = {"b"};
  world.build(text);
  CHECK(world.runner.commands == Commands{"write b 1"});
  world.request.no_cache_filter.clear();
  world.request.no_cache = true;
  world.build(text);
  CHECK(world.runner.commands.size() == 2);
}

TEST_CASE("a failing RUN names its line, its command and its code",
          "[builder]") {
  World world;
  try {
    world.build("FROM scratch\nRUN write a 1\nRUN fail now\n");
    FAIL("built");
  } catch (const RunFailed& e) {
    CHECK(e.code() == 7);
    const std::string text = e.what();
    CHECK_THAT(text, Catch::Contains(
                         "process \"/bin/sh -c fail now\" did not complete "
                         "successfully: exit code: 7"));
    CHECK_THAT(text, Catch::StartsWith("Dockerfile:3:"));
  }
  // What worked before the failure is kept.
  world.build("FROM scratch\nRUN write a 1\n");
  CHECK(world.runner.commands.empty());
}

TEST_CASE("a build whose record cannot be written fails", "[builder]") {
  World world;
  const std::string steps = world.store().root() + "/steps";
  remove_tree(steps);
  std::ofstream(steps) << "not a directory";
  CHECK_THROWS_WITH(world.build("FROM scratch\nRUN write a 1\n"),
                    Catch::Contains(steps));
}

TEST_CASE("a source that is not there is a mistake with its place",
          "[builder]") {
  World world;
  world.file("a", "1");
  world.web.files["http://web/a"] = {"1", "", "", ""};
  struct Case {
    const char* instruction;
    const char* place;
    const char* shown;
  };
  for (const Case& c :
       {Case{"COPY no /\n", "4:6", "\"/no\": not found"},
        Case{"COPY a \\\n  no a /d/\n", "5:3", "\"/no\": not found"},
        Case{"COPY [\"a\", \"no\", \"/\"]\n", "4:12", "\"/no\": not found"},
        Case{"ADD http://web/a a no /d/\n", "4:20", "\"/no\": not found"},
        Case{"COPY --from=one a no /\n", "4:19", "\"/no\": not found"},
        Case{"COPY --exclude=x a no/d /\n", "4:20",
             "lstat /no/d: no such file or directory"},
        Case{"RUN --mount=from=one,source=no,target=/m x\n", "4:1",
             "\"/no\": not found"}}) {
    INFO(c.instruction);
    const std::string text = "FROM scratch AS one\nCOPY a /\nFROM scratch\n";
    try {
      world.build(text + c.instruction);
      FAIL("built");
    } catch (const parser::SyntaxError& e) {
      CHECK_THAT(e.what(), Catch::Contains(c.shown));
      CHECK_THAT(e.what(),
                 Catch::StartsWith("Dockerfile:" + std::string(c.place) + ":"));
    }
  }
}

TEST_CASE("links that lead in a circle are a mistake with its place",
          "[builder]") {
  World world;
  check(::symlink("b", (world.context + "/a").c_str()), "symlink", "a");
  check(::symlink("a", (world.context + "/b").c_str()), "symlink", "b");
  for (const char* source : {"a", "a/x", "a*"}) {
    try {
      world.build(std::string("FROM scratch\nCOPY ") + source + " /x\n");
      FAIL("built");
    } catch (const parser::SyntaxError& e) {
      CHECK_THAT(e.what(), Catch::Contains("too many links"));
      CHECK_THAT(e.what(), Catch::StartsWith("Dockerfile:2:"));
    }
  }
}

TEST_CASE("history has one entry an instruction, in BuildKit's words",
          "[builder]") {
  World world;
  world.file("a", "1");
  world.request.build_args = {{"V", "v"}};
  const BuildResult result = world.build(
      "FROM scratch\nARG V\nENV a=b\nCOPY a /a\nRUN write x 1\n"
      "WORKDIR /w\nCMD [\"a\",\"b c\"]\nEXPOSE 80 53/UDP\nUSER 5\n"
      "HEALTHCHECK --interval=90s CMD true\n");
  CHECK(world.created_by(result) ==
        Commands{"ARG V=v", "ENV a=b", "COPY a /a # buildkit",
                 "RUN |1 V=v /bin/sh -c write x 1 # buildkit", "WORKDIR /w",
                 "CMD [\"a\" \"b c\"]", "EXPOSE [53/udp 80/tcp]", "USER 5",
                 "HEALTHCHECK {Test:[CMD-SHELL true] Interval:1m30s Timeout:0s "
                 "StartPeriod:0s StartInterval:0s Retries:0}"});
  const store::ImageConfig config = world.config(result);
  CHECK(config.diff_ids.size() == 3);
  CHECK(config.config.working_dir == "/w");
  for (const auto& entry : config.history) CHECK(!entry.created.empty());
}

TEST_CASE("ONBUILD of a stage runs in its child, before its own instructions",
          "[builder]") {
  World world;
  const BuildResult result = world.build(
      "FROM scratch AS base\nONBUILD RUN write trigger 1\n"
      "FROM base\nRUN write own 1\n");
  CHECK(world.runner.commands == Commands{"write trigger 1", "write own 1"});
  CHECK(world.config(result).config.on_build.empty());
}

// Steps that ended, in the order in which that was told.
std::vector<StepNumber> ended(const World& world) {
  std::vector<StepNumber> steps;
  for (const Event& event : world.progress.events)
    if (const auto* end = std::get_if<FinishedEvent>(&event))
      steps.push_back(end->step);
  return steps;
}

TEST_CASE("cached steps are told of in the order of the file, bases too",
          "[builder]") {
  World world;
  world.request.tags = {registry::Reference::parse("base").with_default_tag()};
  world.build("FROM scratch\nRUN write base 1\n");
  world.request.tags.clear();
  const std::string text =
      "FROM base AS a\nRUN write a 1\nFROM base\nRUN write b 1\n"
      "COPY --from=a /a /\nRUN write c 1\n";
  world.build(text);
  world.build(text);
  const std::vector<StepNumber> steps = ended(world);
  CHECK(steps.size() == 6);
  CHECK(std::is_sorted(steps.begin(), steps.end()));
  // One that runs comes after its base.
  world.build(text + "RUN write d 1\n");
  const std::vector<StepNumber> some = ended(world);
  CHECK(some.size() == 7);
  CHECK(std::find(some.begin(), some.end(), 2) <
        std::find(some.begin(), some.end(), 6));
}

TEST_CASE("an unknown target is an error with a suggestion", "[builder]") {
  World world;
  world.request.target = "bulid";
  CHECK_THROWS_WITH(
      world.build("FROM scratch AS build\n"),
      "target stage \"bulid\" could not be found (did you mean build?)");
}

TEST_CASE("a stage that copies from a later one is refused", "[builder]") {
  World world;
  CHECK_THROWS_WITH(
      world.build("FROM scratch AS a\nCOPY --from=b /x /\nFROM scratch AS b\n"
                  "FROM a\n"),
      Catch::Contains("cannot copy from stage \"b\", it needs to be defined "
                      "before current stage \"a\""));
}

TEST_CASE("SOURCE_DATE_EPOCH is the time of every new history entry",
          "[builder]") {
  World world;
  world.request.build_args = {{"SOURCE_DATE_EPOCH", "86400"}};
  const BuildResult result =
      world.build("FROM scratch\nENV a=b\nRUN write x 1\n");
  for (const auto& entry : world.config(result).history)
    CHECK(entry.created == "1970-01-02T00:00:00Z");
}

}  // namespace
}  // namespace cbuild::builder
