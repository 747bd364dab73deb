#include "builder/image_config.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "builder/publish.h"

namespace cbuild::builder {
namespace {

TEST_CASE("EXPOSE words become port/proto keys", "[builder]") {
  struct Case {
    const char* word;
    std::vector<std::string> ports;
  };
  const Case cases[] = {
      {"80", {"80/tcp"}},
      {"80/UDP", {"80/udp"}},
      {"8000-8002/sctp", {"8000/sctp", "8001/sctp", "8002/sctp"}},
      {"127.0.0.1:8080:80", {"80/tcp"}},
      {"[::1]:8080:80", {"80/tcp"}},
  };
  for (const Case& c : cases) CHECK(parse_ports(c.word) == c.ports);
}

TEST_CASE("EXPOSE words that are refused", "[builder]") {
  struct Case {
    const char* word;
    const char* error;
  };
  const Case cases[] = {
      {"http", "invalid containerPort: http"},
      {"90-80", "invalid containerPort: 90-80"},
      {"65536", "invalid containerPort: 65536"},
      {"80/icmp", "invalid port: \"80/icmp\": invalid proto: icmp"},
      {"/tcp", "invalid port: \"/tcp\": no port specified"},
      {"h:1:80", "invalid IP address: h"},
  };
  for (const Case& c : cases)
    CHECK_THROWS_WITH(parse_ports(c.word), std::string(c.error));
}

TEST_CASE("STOPSIGNAL takes numbers and names, with and without SIG",
          "[builder]") {
  store::ImageConfig image;
  for (const char* good : {"9", "SIGTERM", "term", "RTMIN+3", "-1"})
    CHECK_NOTHROW(apply_stop_signal(image, good));
  for (const char* bad : {"0", "SIGFOO", "", "RTMIN+16"})
    CHECK_THROWS_WITH(apply_stop_signal(image, bad),
                      std::string("invalid signal: ") + bad);
}

TEST_CASE("a path is joined to the working directory", "[builder]") {
  CHECK(normalize_path("/a", "b", false) == "/a/b");
  CHECK(normalize_path("/a", "../..", false) == "/");
  CHECK(normalize_path("", "b/", true) == "/b/");
  CHECK(normalize_path("/a", "./", true) == "/a/");
  CHECK(normalize_path("/a", "b/.", true) == "/a/b/.");
  CHECK(normalize_path("/a", "/c/", true) == "/c/");
}

TEST_CASE("an entry without a layer has the time of the next new layer",
          "[builder]") {
  std::vector<store::History> history(5);
  history[0].created = "base";
  history[1].empty_layer = history[3].empty_layer = true;
  history[2].created = "first";
  history[4].created = "second";
  complete_times(history);
  const char* want[] = {"base", "first", "first", "first", "second"};
  for (std::size_t i = 0; i < 5; ++i) CHECK(history[i].created == want[i]);
}

}  // namespace
}  // namespace cbuild::builder
