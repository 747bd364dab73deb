// What a target can be given, and which targets there are.
#include <catch2/catch.hpp>

#include "check_fixture.h"
#include "parser/source.h"

namespace cbuild::builder {
namespace {

using Names = std::vector<std::string>;

class Outlined : public testing::World {
 public:
  Outline outline(const std::string& dockerfile) {
    BuildRequest r = request;
    r.context = context;
    r.dockerfile_text = dockerfile;
    PlanEnvironment environment{store(), images, web, progress};
    return builder::outline(r, environment).outline;
  }
  // "name=value (description)" of each argument.
  Names args(const std::string& dockerfile) {
    Names lines;
    for (const OutlineArg& arg : outline(dockerfile).args)
      lines.push_back(arg.name + "=" + arg.value + " (" + arg.description +
                      ")");
    return lines;
  }
};

}  // namespace

TEST_CASE("the outline lists the arguments a target uses", "[builder]") {
  struct Case {
    const char* promise;
    const char* dockerfile;
    Names args;
  };
  const Case cases[] = {
      {"with value and description, in the order of the file",
       "FROM scratch\n# a first one\nARG a=1\nARG b=${a}2\n",
       {"a=1 (first one)", "b=12 ()"}},
      {"those of its base and of what it copies from",
       "FROM scratch AS x\nARG a\nFROM scratch AS y\nARG b\nFROM x\n"
       "COPY --from=y / /\nARG c\n",
       {"a= ()", "b= ()", "c= ()"}},
      {"none of other stages", "FROM scratch AS x\nARG a\nFROM scratch\n", {}},
      {"global ones that FROM is made of, and what those are made of",
       "ARG a=sc\nARG b=${a}ratch\nARG c\nFROM $b\n",
       {"a=sc ()", "b=scratch ()"}},
      {"global ones that a stage declares again",
       "ARG a=1\nARG b=2\nFROM scratch\nARG a\n",
       {"a=1 ()"}},
      {"no platform word without a value",
       "FROM scratch\nARG TARGETARCH\n",
       {}},
  };
  Outlined world;
  for (const Case& c : cases) DYNAMIC_SECTION(c.promise) {
      CHECK(world.args(c.dockerfile) == c.args);
    }
}

TEST_CASE("a given argument shows the given value", "[builder]") {
  Outlined world;
  world.request.build_args = {{"a", "2"}};
  CHECK(world.args("FROM scratch\nARG a=1\n") == Names{"a=2 ()"});
}

TEST_CASE("the outline lists secrets and sockets once", "[builder]") {
  Outlined world;
  const Outline outline = world.outline(
      "# mill grinds\nFROM scratch AS mill\n"
      "RUN --mount=type=secret,id=s,required=true --mount=type=ssh true\n"
      "RUN --mount=type=secret,id=s --mount=type=secret,target=/x/t "
      "--mount=type=ssh,id=deploy true\n");
  CHECK(outline.name == "mill");
  CHECK(outline.description == "grinds");
  REQUIRE(outline.secrets.size() == 2);
  CHECK(outline.secrets[0].name == "s");
  CHECK(outline.secrets[0].required);
  CHECK(outline.secrets[1].name == "t");
  REQUIRE(outline.ssh.size() == 2);
  CHECK(outline.ssh[0].name == "default");
  CHECK(outline.ssh[1].name == "deploy");
}

TEST_CASE("an outline of what cannot be built is its mistake", "[builder]") {
  Outlined world;
  CHECK_THROWS_WITH(world.outline("FROM scratch\nEXPOSE 1/x\n"),
                    Catch::StartsWith("Dockerfile:2:8: invalid port"));
  CHECK_THROWS_AS(
      world.outline("# check=error=true\nFROM scratch\nWORKDIR x\n"),
      UsageError);
}

TEST_CASE("targets are listed as written", "[builder]") {
  testing::World world;
  BuildRequest request;
  request.context = world.context;
  request.dockerfile_text =
      "ARG A=1\n# one is first\nFROM --platform=$BUILDPLATFORM x:$A AS One\n"
      "FROM one\n";
  PlanEnvironment environment{world.store(), world.images, world.web,
                              world.progress};
  const std::vector<Target> targets =
      builder::targets(request, environment).targets;
  REQUIRE(targets.size() == 2);
  CHECK(targets[0].name == "one");
  CHECK(targets[0].description == "is first");
  CHECK(targets[0].base == "x:$A");
  CHECK(targets[0].platform == "$BUILDPLATFORM");
  CHECK(targets[1].name.empty());
}

}  // namespace cbuild::builder
