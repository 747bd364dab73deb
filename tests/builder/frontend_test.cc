#include "builder/frontend.h"

#include <catch2/catch.hpp>

#include "parser/parse.h"
#include "tests/builder/fakes.h"

namespace cbuild::builder {

TEST_CASE("a frontend that is not BuildKit's is told apart", "[frontend]") {
  struct Case {
    const char* syntax;
    const char* want;
  };
  const Case cases[] = {
      {"docker/dockerfile:1", ""},
      {"docker/dockerfile:1.7-labs", ""},
      {"docker.io/docker/dockerfile", ""},
      {"docker/dockerfile-upstream:master", ""},
      {"docker/dockerfile:1 with options", ""},
      {"dockerfile.v0", ""},
      {"example.org/docker/dockerfile:1", "example.org/docker/dockerfile:1"},
      {"r2d4/mocker x=y", "r2d4/mocker"},
      {"No Image", "No"},
  };
  for (const Case& c : cases) {
    INFO(c.syntax);
    const std::string text =
        std::string("# syntax=") + c.syntax + "\nFROM scratch\n";
    CHECK(other_frontend({}, parser::parse(text)) == c.want);
  }
  BuildRequest request;
  request.build_args.emplace_back("BUILDKIT_SYNTAX", "other/one");
  CHECK(other_frontend(request, parser::parse("FROM scratch\n")) ==
        "other/one");
}

TEST_CASE("a build warns of a frontend that is not run", "[frontend]") {
  testing::World world;
  world.build("# syntax=r2d4/mocker\nFROM scratch\nLABEL a=b\n");
  bool warned = false;
  for (const Event& event : world.progress.events)
    if (const auto* message = std::get_if<MessageEvent>(&event))
      warned |=
          message->warning &&
          message->text.find("r2d4/mocker is not run") != std::string::npos;
  CHECK(warned);
}

}  // namespace cbuild::builder
