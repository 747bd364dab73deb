#include "registry/challenge.h"

#include <catch2/catch.hpp>

using cbuild::registry::Challenge;
using cbuild::registry::parse_challenges;

TEST_CASE("a Bearer challenge names realm, service and scope") {
  const auto got = parse_challenges(
      "Bearer realm=\"https://auth.example/token\",service=\"reg.example\","
      "scope=\"repository:a/b:pull,push\",error=invalid_token");
  REQUIRE(got.size() == 1);
  CHECK(got[0].scheme == "bearer");
  CHECK(got[0].parameter("realm") == "https://auth.example/token");
  CHECK(got[0].parameter("service") == "reg.example");
  CHECK(got[0].parameter("scope") == "repository:a/b:pull,push");
  CHECK(got[0].parameter("error") == "invalid_token");
  CHECK(got[0].parameter("absent").empty());
}

TEST_CASE("one header may hold several challenges") {
  const auto got = parse_challenges(
      "Negotiate, BASIC Realm = \"a, b=\\\"c\\\"\" , Bearer realm=\"r\"");
  REQUIRE(got.size() == 3);
  CHECK(got[0].scheme == "negotiate");
  CHECK(got[1].scheme == "basic");
  CHECK(got[1].parameter("realm") == "a, b=\"c\"");
  CHECK(got[2].scheme == "bearer");
  CHECK(got[2].parameter("realm") == "r");
}

TEST_CASE("broken challenges are read as far as they go") {
  CHECK(parse_challenges("").empty());
  CHECK(parse_challenges(" ,,, ").empty());
  CHECK(parse_challenges("realm=\"x\"").empty());
  CHECK(parse_challenges("Bearer realm=\"no end").front().parameter("realm") ==
        "no end");
  CHECK(parse_challenges("Bearer realm=\"x\\").front().parameter("realm") ==
        "x");
  CHECK(parse_challenges("{\"\x01[]()=== Basic").size() >= 1);
}
