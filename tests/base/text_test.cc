#include "base/text.h"

#include <catch2/catch.hpp>

namespace cbuild {
namespace {

TEST_CASE("paths are cleaned as Go's path.Clean does", "[base]") {
  const std::pair<const char*, const char*> cases[] = {
      {"", "."},        {"a//b/../c/", "a/c"}, {"/..", "/"},
      {"../a", "../a"}, {"/a/./b/", "/a/b"},   {"a/..", "."},
      {"a/../..", ".."}};
  for (const auto& [in, want] : cases) CHECK(clean_path(in) == want);
}

TEST_CASE("sizes are read as docker reads them", "[base]") {
  CHECK(parse_bytes("512") == 512u);
  CHECK(parse_bytes("64m") == 64u << 20);
  CHECK(parse_bytes("1.5GiB") == 3ull << 29);
  CHECK(parse_bytes("1 KB") == 1024u);
  for (const char* bad : {"", "m", "1x", "1mm", "-1"}) CHECK(!parse_bytes(bad));
}

TEST_CASE("sizes are printed as docker prints them", "[base]") {
  CHECK(human_size(0) == "0B");
  CHECK(human_size(999) == "999B");
  CHECK(human_size(1234) == "1.23kB");
  CHECK(human_size(77'800'000) == "77.8MB");
}

TEST_CASE("times are RFC 3339 both ways", "[base]") {
  CHECK(rfc3339(0) == "1970-01-01T00:00:00Z");
  CHECK(rfc3339(1, 500'000'000) == "1970-01-01T00:00:01.5Z");
  CHECK(parse_rfc3339("1970-01-01T00:00:01.5Z") == 1);
  CHECK(parse_rfc3339("1970-01-01T01:00:00+01:00") == 0);
  CHECK(!parse_rfc3339("yesterday"));
}

TEST_CASE("base64 goes both ways and refuses what is none", "[base]") {
  for (const char* text : {"", "a", "ab", "abc", "user:pass"})
    CHECK(base64_decode(base64_encode(text)) == std::string(text));
  CHECK(base64_encode("ab") == "YWI=");
  CHECK(!base64_decode("a*b"));
}

TEST_CASE("a name within two edits is suggested", "[base]") {
  const std::vector<std::string> names = {"build", "test"};
  CHECK(nearest("bulid", names) == std::string("build"));
  CHECK(!nearest("build", names));
  CHECK(!nearest("nothing", names));
}

}  // namespace
}  // namespace cbuild
