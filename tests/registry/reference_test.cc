#include "registry/reference.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

using cbuild::registry::Reference;
using cbuild::registry::ReferenceError;
using cbuild::store::Digest;

namespace {

const std::string kHex =
    "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";

std::string problem(const std::string& text) {
  try {
    Reference::parse(text);
    return "";
  } catch (const ReferenceError& e) {
    return e.what();
  }
}

void check_like_distribution(const nlohmann::json& expected) {
  const std::string text = expected["text"];
  INFO("reference '" << text << "'");
  if (expected.contains("error")) {
    CHECK(problem(text) == expected["error"].get<std::string>());
    return;
  }
  REQUIRE(problem(text).empty());
  const Reference got = Reference::parse(text);
  const auto want = [&](const char* key) { return expected.value(key, ""); };
  CHECK(got.domain() == want("domain"));
  CHECK(got.path() == want("path"));
  CHECK(got.tag().value_or("") == want("tag"));
  CHECK((got.digest() ? got.digest()->text() : got.other_digest()) ==
        want("digest"));
  CHECK(got.text() == want("normalized"));
  CHECK(got.familiar() == want("familiar"));
  CHECK(got.with_default_tag().text() == want("with_tag"));
  CHECK(Reference::parse(got.text()) == got);
  CHECK(Reference::parse(got.familiar()) == got);
}

}  // namespace

TEST_CASE("references agree with distribution/reference on the corpus") {
  const std::string path =
      CBUILD_SOURCE_DIR "/../shared/corpus/units/reference.jsonl";
  std::ifstream cases(path);
  if (!cases) {
    WARN("SKIPPED: no corpus at " << path);
    return;
  }
  std::size_t count = 0;
  for (std::string line; std::getline(cases, line); ++count)
    check_like_distribution(nlohmann::json::parse(line));
  CHECK(count > 0);
}

TEST_CASE("a short name is one of Docker Hub's") {
  const Reference app = Reference::parse("app");
  CHECK(app.text() == "docker.io/library/app");
  CHECK(app.familiar_name() == "app");
  CHECK(app.with_default_tag().familiar() == "app:latest");
  CHECK(Reference::parse("team/app").text() == "docker.io/team/app");
  CHECK(Reference::parse("index.docker.io/app") == app);
}

TEST_CASE("the first part is a host if it looks like one") {
  struct Case {
    const char* text;
    const char* domain;
  };
  const Case cases[] = {
      {"localhost/a", "localhost"},
      {"localhost:5000/a", "localhost:5000"},
      {"[::1]:5000/a", "[::1]:5000"},
      {"reg.example/a", "reg.example"},
      {"HUB/a", "HUB"},  // capitals cannot be a repository
      {"hub/a", "docker.io"},
  };
  for (const Case& c : cases)
    CHECK(Reference::parse(c.text).domain() == c.domain);
}

TEST_CASE("a first part that is neither a host nor docker's is refused") {
  CHECK(problem("a.b_c/app") == "invalid reference format");
  CHECK(problem("https://reg.example/app") == "invalid reference format");
  CHECK(problem("reg.example:/app") == "invalid reference format");
  CHECK(problem("[::1/app") == "invalid reference format");
}

TEST_CASE("a tag or a digest can be put on a reference") {
  const Reference app = Reference::parse("app:1");
  const Digest digest = Digest::from_hex(kHex);
  CHECK(app.with_tag("2").familiar() == "app:2");
  CHECK(app.with_digest(digest).familiar() == "app:1@sha256:" + kHex);
  CHECK(app.with_digest(digest).with_default_tag() == app.with_digest(digest));
  CHECK_THROWS_AS(app.with_tag("-x"), ReferenceError);
  CHECK_THROWS_AS(app.with_tag(std::string(129, 'a')), ReferenceError);
}

TEST_CASE("a sha512 reference is well formed and gets no default tag") {
  const std::string text = "reg.example/app@sha512:" + kHex + kHex;
  const Reference app = Reference::parse(text);
  CHECK(!app.digest());
  CHECK(app.other_digest() == "sha512:" + kHex + kHex);
  CHECK(app.with_default_tag().text() == text);
}

TEST_CASE("no bytes make the reference parser do worse than refuse") {
  const std::string base = "reg.example:5000/a/b:1@sha256:" + kHex;
  for (std::size_t at = 0; at < base.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text = base;
      text[at] = static_cast<char>(byte);
      const auto reference = Reference::try_parse(text);
      if (!reference) continue;
      if (Reference::parse(reference->text()) != *reference)
        FAIL("not its own inverse: " << text);
    }
    CHECK_NOTHROW(Reference::try_parse(base.substr(at)));
  }
}
