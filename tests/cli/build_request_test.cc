#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "cli/build_flags.h"

namespace cbuild::cli {
namespace {

using Words = std::vector<std::string>;

builder::BuildRequest request(Words words) {
  words.emplace_back("/");
  return build_request(parse(kBuildFlags, words));
}

std::string failure(const Words& words) {
  try {
    request(words);
  } catch (const UsageError& e) {
    return e.what();
  }
  return "accepted";
}

TEST_CASE("tags are normalised and get :latest", "[cli]") {
  const auto tags = request({"-t", "app", "-t", "reg.example:5000/a:1"}).tags;
  REQUIRE(tags.size() == 2);
  CHECK(tags[0].text() == "docker.io/library/app:latest");
  CHECK(tags[1].text() == "reg.example:5000/a:1");
}

TEST_CASE("a build argument without value comes from the environment",
          "[cli]") {
  ::unsetenv("SOURCE_DATE_EPOCH");
  ::setenv("CBUILD_TEST_ARG", "from env", 1);
  ::unsetenv("CBUILD_TEST_NONE");
  const auto args =
      request({"--build-arg", "A=1=2", "--build-arg", "B=", "--build-arg",
               "CBUILD_TEST_ARG", "--build-arg", "CBUILD_TEST_NONE"})
          .build_args;
  REQUIRE(args.size() == 3);
  CHECK(args[0] ==
        std::pair{std::string("A"), std::optional<std::string>("1=2")});
  CHECK(args[1].second == "");
  CHECK(args[2].second == "from env");
}

TEST_CASE("SOURCE_DATE_EPOCH of the environment is a build argument", "[cli]") {
  ::setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
  CHECK(request({}).build_args.back().second == "1700000000");
  const auto given = request({"--build-arg", "SOURCE_DATE_EPOCH=1"}).build_args;
  ::unsetenv("SOURCE_DATE_EPOCH");
  REQUIRE(given.size() == 1);
  CHECK(given[0].second == "1");
}

TEST_CASE("secrets come from files and variables as with buildx", "[cli]") {
  using Kind = builder::SecretSource::Kind;
  struct Case {
    const char* text;
    Kind kind;
    const char* value;
  };
  ::setenv("CBUILD_TEST_SECRET", "x", 1);
  const Case cases[] = {
      {"id=a,src=/etc/token", Kind::file, "/etc/token"},
      {"id=a,source=t", Kind::file, "t"},
      {"id=a,env=TOKEN", Kind::environment, "TOKEN"},
      {"type=env,id=a,src=TOKEN", Kind::environment, "TOKEN"},
      {"type=file,id=a", Kind::file, "a"},
      {"id=a", Kind::file, "a"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const auto secrets = request({"--secret", c.text}).secrets;
    CHECK(secrets.at("a").kind == c.kind);
    CHECK(secrets.at("a").value == c.value);
  }
  const auto by_name = request({"--secret", "id=CBUILD_TEST_SECRET"}).secrets;
  CHECK(by_name.begin()->second.kind == Kind::environment);
}

TEST_CASE("hosts are lower-cased and split at = or the first colon", "[cli]") {
  const auto hosts = request({"--add-host", "DB:1.2.3.4", "--add-host",
                              "six:fd00::1", "--add-host", "eq=[::1]"})
                         .extra_hosts;
  REQUIRE(hosts.size() == 3);
  CHECK(hosts[0] == std::pair{std::string("db"), std::string("1.2.3.4")});
  CHECK(hosts[1].second == "fd00::1");
  CHECK(hosts[2].second == "::1");
}

TEST_CASE("limits have a soft and a hard half; the last of a name counts",
          "[cli]") {
  const auto limits = request({"--ulimit", "nofile=1", "--ulimit",
                               "nofile=123:456", "--ulimit", "core=-1"})
                          .limits;
  REQUIRE(limits.size() == 2);
  CHECK(limits[0].resource == RLIMIT_NOFILE);
  CHECK(limits[0].soft == 123);
  CHECK(limits[0].hard == 456);
  CHECK(limits[1].hard == RLIM_INFINITY);
}

TEST_CASE("the network mode host needs no further leave", "[cli]") {
  CHECK_FALSE(request({}).network);
  CHECK(request({"--network", "none"}).network == runtime::NetworkMode::none);
  const auto host = request({"--network", "host"});
  CHECK(host.network == runtime::NetworkMode::host);
  CHECK(host.allow_network_host);
}

TEST_CASE("stages to rebuild come in lists", "[cli]") {
  CHECK(request({"--no-cache-filter", "a,b", "--no-cache-filter=c"})
            .no_cache_filter == Words{"a", "b", "c"});
}

TEST_CASE("build flags with values that cannot be are refused", "[cli]") {
  struct Case {
    Words words;
    std::string want;  // the message begins with it
  };
  const Case cases[] = {
      {{"-t", "UPPER"}, "invalid argument \"UPPER\" for --tag: "},
      {{"-t", "a@sha256:" + std::string(64, '0')}, "invalid argument"},
      {{"--network", "hots"},
       "invalid argument \"hots\" for --network: want default, none or host "
       "(did you mean host?)"},
      {{"--add-host", "x"},
       "invalid argument \"x\" for --add-host: bad format"},
      {{"--add-host", "x:999.1.1.1"},
       "invalid argument \"x:999.1.1.1\" for --add-host: invalid IP address"},
      {{"--add-host", "x:host-gate"}, "invalid argument"},
      {{"--ulimit", "nofiles=1"},
       "invalid argument \"nofiles=1\" for --ulimit: invalid ulimit type: "
       "nofiles (did you mean nofile?)"},
      {{"--ulimit", "nofile=2:1"}, "invalid argument"},
      {{"--shm-size", "big"}, "invalid argument \"big\" for --shm-size"},
      {{"--secret", "src=x"},
       "invalid argument \"src=x\" for --secret: it has"},
      {{"--secret", "id=x,scr=y"}, "invalid argument"},
      {{"--platform", "linux/amd64,linux/arm64"}, "invalid argument"},
      {{"--compression", "lzma"},
       "invalid argument \"lzma\" for --compression"},
      {{"--jobs", "-1"}, "invalid argument \"-1\" for --jobs"},
      {{"--allow", "network"}, "invalid argument"},
      {{"--annotation", "index:a=b"}, "invalid argument"},
      {{"--build-context", "x"}, "invalid argument"},
      {{"--output", "x"}, "--output is not supported yet"},
      {{"--provenance=false"}, "accepted"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.words);
    const std::string got = failure(c.words);
    CHECK(got.substr(0, c.want.size()) == c.want);
  }
}

TEST_CASE("context and Dockerfile are taken as they are written", "[cli]") {
  const auto read = build_request(
      parse(kBuildFlags, {"-f", "https://h/Dockerfile", "git@h:a#b"}));
  CHECK(read.context == "git@h:a#b");
  CHECK(read.dockerfile == "https://h/Dockerfile");
  CHECK_THROWS_WITH(build_request(parse(kBuildFlags, {"-f", "-", "-"})),
                    "invalid argument: can't use stdin for both build context "
                    "and dockerfile");
}

}  // namespace
}  // namespace cbuild::cli
