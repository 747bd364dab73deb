// What counts for a step's key and what does not, one change at a time
// (reference: BuildKit's keys). `count` writes another number each time it
// really runs, so equal images mean that its result was kept.
#include <catch2/catch.hpp>

#include "fakes.h"

namespace cbuild::builder {
namespace {

using testing::World;

struct Rule {
  const char* what;
  std::function<void(BuildRequest&)> change;
  bool kept;
};

runtime::ResourceLimit limit(int resource) { return {resource, 1, 1}; }

TEST_CASE("options that count for a RUN and options that do not",
          "[builder][key]") {
  const auto rule = GENERATE(values<Rule>({
      {"nothing", [](BuildRequest&) {}, true},
      {"the address of a host",
       [](BuildRequest& r) {
         r.extra_hosts = {{"db", "10.0.0.9"}};
       },
       true},
      {"the name of a host",
       [](BuildRequest& r) {
         r.extra_hosts = {{"web", "10.0.0.1"}};
       },
       false},
      {"the order of limits",
       [](BuildRequest& r) { std::swap(r.limits[0], r.limits[1]); }, true},
      {"a limit", [](BuildRequest& r) { r.limits[0].soft = 0; }, false},
      {"the size of /dev/shm", [](BuildRequest& r) { r.shm_size = 1 << 20; },
       false},
      {"the network",
       [](BuildRequest& r) { r.network = runtime::NetworkMode::none; }, false},
      {"the default network, written out",
       [](BuildRequest& r) { r.network = runtime::NetworkMode::egress; }, true},
      {"the platform",
       [](BuildRequest& r) {
         r.platform = store::parse_platform("linux/s390x");
       },
       false},
      {"this machine's platform, written out",
       [](BuildRequest& r) { r.platform = store::host_platform(); }, true},
      {"a proxy",
       [](BuildRequest& r) {
         r.build_args = {{"https_proxy", "http://p"}};
       },
       true},
      {"a build argument nobody declares",
       [](BuildRequest& r) {
         r.build_args = {{"OTHER", "1"}};
       },
       true},
      {"a label",
       [](BuildRequest& r) {
         r.labels = {{"a", "b"}};
       },
       true},
      {"the number of jobs", [](BuildRequest& r) { r.jobs = 1; }, true},
      {"the compression",
       [](BuildRequest& r) { r.compression = store::Compression::none; }, true},
      {"a secret", [](BuildRequest& r) { r.secrets["k"] = {}; }, true},
      {"the host name",
       [](BuildRequest& r) {
         r.build_args = {{"BUILDKIT_SANDBOX_HOSTNAME", "h"}};
       },
       false},
  }));
  World world;
  world.request.extra_hosts = {{"db", "10.0.0.1"}};
  world.request.limits = {limit(1), limit(2)};
  world.build("FROM scratch\nRUN count\n");
  rule.change(world.request);
  world.build("FROM scratch\nRUN count\n");
  INFO(rule.what);
  CHECK(world.runner.commands.empty() == rule.kept);
}

struct Pair {
  const char* first;
  const char* second;
  bool kept;
};

TEST_CASE("spellings of a RUN's mounts", "[builder][key]") {
  const auto pair = GENERATE(values<Pair>({
      {"type=secret,id=k", "type=secret,id=k,mode=0400,uid=0,gid=0", true},
      {"type=secret,id=k", "type=secret,id=k,mode=0440", false},
      {"type=secret,id=k", "type=secret,id=other", false},
      {"type=secret,id=k", "type=secret,id=k,env=K", false},
      {"type=secret,id=k", "type=secret,id=k,target=/k", false},
      {"type=secret,id=k,target=/run/secrets/k", "type=secret,id=k", true},
      {"type=cache,target=/c", "type=cache,target=/c,id=x", true},
      {"type=cache,target=/c", "type=cache,target=/c,sharing=locked", true},
      {"type=cache,target=/c", "type=cache,target=/c,mode=0755", true},
      {"type=cache,target=/c", "type=cache,target=/c,uid=5", false},
      {"type=cache,target=/c", "type=cache,target=/d", false},
      {"type=cache,target=/c", "type=cache,target=/c,ro", false},
      {"type=tmpfs,target=/c", "type=tmpfs,target=/c,size=4096", false},
      {"type=tmpfs,target=/c", "type=cache,target=/c", false},
      {"target=/c", "type=bind,target=/c", true},
      {"target=/c", "target=/c,ro", true},
      {"target=/c", "target=/c,rw", false},
      {"source=a,target=/c", "source=./a,target=/c", true},
      {"source=a,target=/c", "source=b,target=/c", false},
      {"source=a,target=/c", "source=same,target=/c", true},
  }));
  World world;
  world.file("a", "1");
  world.file("b", "2");
  world.file("same", "1");
  world.build(std::string("FROM scratch\nRUN --mount=") + pair.first +
              " count\n");
  world.build(std::string("FROM scratch\nRUN --mount=") + pair.second +
              " count\n");
  INFO(pair.first << " then " << pair.second);
  CHECK(world.runner.commands.empty() == pair.kept);
}

TEST_CASE("what above a RUN counts for it", "[builder][key]") {
  const auto pair = GENERATE(values<Pair>({
      {"ENV a=1", "ARG a=1", true},
      {"ARG a=1", "ARG a=2", false},
      {"ARG a", "ARG a=", false},
      {"LABEL a=1", "LABEL a=2", true},
      {"EXPOSE 80", "EXPOSE 81", true},
      {"VOLUME /a", "VOLUME /b", true},
      {"STOPSIGNAL 9", "STOPSIGNAL 15", true},
      {"CMD a", "CMD b", true},
      {"ENTRYPOINT a", "ENTRYPOINT b", true},
      {"HEALTHCHECK NONE", "HEALTHCHECK CMD a", true},
      {"ONBUILD RUN a", "ONBUILD RUN b", true},
      {"USER 1", "USER 2", false},
      {"WORKDIR /a", "WORKDIR /b", false},
      {"SHELL [\"/a\"]", "SHELL [\"/b\"]", false},
      {"COPY --chmod=0644 a /a", "COPY --chmod=644 a /a", true},
      {"COPY --chmod=0644 a /a", "COPY --chmod=0600 a /a", false},
      {"COPY a /a", "ADD --unpack=false a /a", true},
      {"COPY a /a", "COPY a /b", false},
      {"COPY a /x", "COPY same /x", false},
      {"COPY sub/a /x", "COPY a /x", true},
      {"COPY a /a", "COPY --chown=0:0 a /a", false},
      {"COPY <<a /a\n1\na", "COPY <<a /a\n2\na", false},
      {"COPY <<a /a\n1\na", "COPY <<b /a\n1\nb", false},
  }));
  World world;
  world.file("a", "1");
  world.file("same", "1");
  world.file("sub/a", "1");
  world.build(std::string("FROM scratch\n") + pair.first + "\nRUN count\n");
  world.build(std::string("FROM scratch\n") + pair.second + "\nRUN count\n");
  INFO(pair.first << " then " << pair.second);
  CHECK(world.runner.commands.empty() == pair.kept);
}

TEST_CASE("WORKDIR counts by its clean path", "[builder][key]") {
  World world;
  world.build("FROM scratch\nWORKDIR /b/../a\n");
  CHECK(world.build("FROM scratch\nWORKDIR /a\n").executed == 0);
}

TEST_CASE("equal bytes from the context and from a stage have one key",
          "[builder][key]") {
  World world;
  world.file("a", "1");
  const std::string tail = "RUN count\n";
  world.build("FROM scratch\nCOPY a /a\n" + tail);
  world.build(
      "FROM scratch AS x\nCOPY a /a\nFROM scratch\nCOPY --from=x /a /a\n" +
      tail);
  CHECK(world.runner.commands.empty());
}

TEST_CASE("a failed step is tried again, what it stood on is kept",
          "[builder][key]") {
  World world;
  const std::string head = "FROM scratch\nRUN count\n";
  CHECK_THROWS_AS(world.build(head + "RUN fail\n"), RunFailed);
  CHECK_THROWS_AS(world.build(head + "RUN fail\n"), RunFailed);
  CHECK(world.runner.commands == std::vector<std::string>{"fail"});
}

}  // namespace
}  // namespace cbuild::builder
