#include "store/platform.h"

#include <catch2/catch.hpp>

#include "base/error.h"

using namespace cbuild;
using namespace cbuild::store;

TEST_CASE("platforms are named as containerd names them", "[platform]") {
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {
      {"linux/x86_64", "linux/amd64"},
      {"linux/aarch64", "linux/arm64"},
      {"linux/arm64/v8", "linux/arm64"},
      {"linux/arm", "linux/arm/v7"},
      {"armhf", "linux/arm/v7"},
      {"linux/armel", "linux/arm/v6"},
      {"i386", "linux/386"},
      {"MacOS/AARCH64", "darwin/arm64"},
      {"linux/amd64/v1", "linux/amd64"},
      {"linux/arm/6", "linux/arm/v6"},
      {"linux/arm64/v9.0", "linux/arm64/v9"},
  };
  for (const Case& c : cases) CHECK(parse_platform(c.text).text() == c.want);
}

TEST_CASE("a user's own words keep their variant", "[platform]") {
  CHECK(parse_specifier("linux/arm64/v8").text() == "linux/arm64/v8");
  CHECK(parse_specifier("armhf").text() == "linux/arm");
}

TEST_CASE("an operating system's version and features are kept apart",
          "[platform]") {
  const Platform p = parse_platform("windows(10.0.17763+win32k)/amd64");
  CHECK(p.os == "windows");
  CHECK(p.os_version == "10.0.17763");
  CHECK(p.os_features == std::vector<std::string>{"win32k"});
  CHECK(p.text() == "windows/amd64");
}

TEST_CASE("what is no platform is refused, and the part is named",
          "[platform]") {
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {
      {"", "\"\" is an invalid OS component"},
      {"linux/", "\"\" is an invalid component of \"linux/\""},
      {"linux/*", "wildcards not yet supported"},
      {"armv7", "\"armv7\": unknown operating system or architecture"},
      {"linux/arm/v7/x", "cannot parse platform specifier"},
      {"a/b/c/d/e", "\"d/e\" is an invalid component"},
      {"linux amd64", "\"linux amd64\" is an invalid OS component"},
      {"linux(a b)/amd64", "\"linux(a b)\" is an invalid OS component"},
      {"linux(1%zz)/amd64", "invalid OS version"},
  };
  for (const Case& c : cases)
    CHECK_THROWS_WITH(parse_platform(c.text), Catch::Contains(c.want));
}

TEST_CASE("the best image is the exact one, then falling variants",
          "[platform]") {
  const auto pick = [](const char* want, std::vector<const char*> have) {
    std::vector<Platform> list;
    for (const char* text : have) list.push_back(parse_platform(text));
    return best_match(list, parse_platform(want));
  };
  CHECK(pick("linux/amd64", {"linux/arm64", "linux/amd64"}) == 1);
  CHECK(pick("linux/amd64", {"linux/386"}) == 0);
  CHECK(pick("linux/amd64", {"linux/amd64/v2"}) == -1);
  CHECK(pick("linux/amd64/v3", {"linux/amd64", "linux/amd64/v2"}) == 1);
  CHECK(pick("linux/arm/v7", {"linux/arm/v5", "linux/arm/v6"}) == 1);
  CHECK(pick("linux/arm/v6", {"linux/arm/v7"}) == -1);
  CHECK(pick("linux/arm64", {"linux/arm/v6", "linux/arm/v7"}) == 1);
  CHECK(pick("linux/arm64/v9", {"linux/arm64"}) == 0);
  CHECK(pick("windows(10.0.20348)/amd64", {"windows(10.0.17763)/amd64"}) == -1);
}

TEST_CASE("the machine's own platform serves itself", "[platform]") {
  CHECK(host_platform().os == "linux");
  CHECK(serves(host_platform(), host_platform()));
}
