// Contexts that are no directory of the user's.
#include <catch2/catch.hpp>

#include "base/text.h"
#include "copy_fixture.h"
#include "fakes.h"
#include "tests/support/git_server.h"

namespace cbuild::builder {
namespace {

using testing::World;

BuildResult build(World& world, const BuildRequest& request) {
  BuildEnvironment environment{
      {world.store(), world.images, world.web, world.progress}, world.runner};
  return builder::build(request, environment);
}

BuildRequest request(const std::string& context,
                     const std::string& dockerfile = {}) {
  BuildRequest request;
  request.context = context;
  if (!dockerfile.empty()) request.dockerfile_text = dockerfile;
  return request;
}

// What tar(1) makes of a directory, with further options.
std::string archive(const std::string& directory, const std::string& options) {
  const test::Finished made = test::run_program(
      {"sh", "-c", "tar -C '" + directory + "' -c " + options + " ."});
  REQUIRE(made.exit_code == 0);
  return made.output;
}

Fd in_memory(const std::string& content) {
  char name[] = "/tmp/cbuild-stream-XXXXXX";
  Fd file(::mkstemp(name));
  ::unlink(name);
  write_all(file.get(), content, name);
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

TEST_CASE("an archive on a stream is the context, however compressed",
          "[builder]") {
  if (!testing::have_root()) return;
  World world;
  world.file("Dockerfile", "FROM scratch\nCOPY . /\n");
  world.file(".dockerignore", "dir");  // not for an archive
  world.file("dir/a", "1");
  std::string first;
  for (const std::string options : {"", "-z", "-j", "-J", "--zstd"}) {
    const Fd file = in_memory(archive(world.context, options));
    BuildRequest r = request("");
    std::string start(100, '\0');
    REQUIRE(::read(file.get(), start.data(), start.size()) == 100);
    r.context_stream = {file.get(), start};
    const BuildResult result = build(world, r);
    CHECK(result.executed == (first.empty() ? 1 : 0));
    if (first.empty()) first = result.manifest.digest.text();
    CHECK(result.manifest.digest.text() == first);
  }
  const auto layers = world.store().layers.list();
  CHECK(read_file(world.store().layers.directory(layers.front()) +
                  "/tree/dir/a") == "1");
  CHECK(
      list_dir(open_path(world.store().root() + "/tmp", O_RDONLY | O_DIRECTORY)
                   .get())
          .size() <= 1);
}

TEST_CASE("nothing of an archive gets past the context's root", "[builder]") {
  if (!testing::have_root()) return;
  World world;
  world.file("out/Dockerfile", "FROM scratch\nCOPY a /\n");
  world.file("out/a", "1");
  const std::string tar = archive(
      world.context + "/out",
      "-P --transform='s,^\\./a$,../../../../../../../../tmp/cbuild-escape,'");
  const Fd file = in_memory(tar);
  BuildRequest r = request("");
  r.context_stream = {file.get(), ""};
  CHECK_THROWS_WITH(build(world, r), Catch::Contains("\"/a\": not found"));
  CHECK_FALSE(read_file("/tmp/cbuild-escape"));
}

TEST_CASE("an http(s) context: an archive, or a Dockerfile", "[builder]") {
  if (!testing::have_root()) return;
  World world;
  world.file("sub/Dockerfile", "FROM scratch\nCOPY a /\n");
  world.file("a", "1");
  world.web.files["http://h/ctx"] = {archive(world.context, "-z"), "", "", ""};
  BuildRequest r = request("http://h/ctx");
  CHECK_THROWS_WITH(
      build(world, r),
      "failed to read dockerfile: open Dockerfile: no such file or directory");
  r.dockerfile = "sub/Dockerfile";
  CHECK(build(world, r).executed == 1);
  // A Dockerfile has itself for a context, as BuildKit has it.
  world.web.files["http://h/f"] = {"FROM scratch\nCOPY context /x\n", "", "",
                                   ""};
  CHECK(build(world, request("http://h/f")).executed == 1);
  world.web.files["http://h/g"] = {"FROM scratch\nLABEL a=b\n", "", "", ""};
  r = request(world.context);
  r.dockerfile = "http://h/g";
  CHECK(world.config(build(world, r)).config.labels.at("a") == "b");
}

TEST_CASE("a git context, and what is asked for where it is cached",
          "[builder]") {
  if (!testing::have_root() || !test::GitServer::available()) return;
  World world;
  test::GitServer server;
  server.commit("Dockerfile", "FROM scratch\nCOPY . /");
  CHECK(build(world, request(server.url())).executed == 1);
  server.clear();
  CHECK(build(world, request(server.url())).executed == 0);
  CHECK(server.asked("ls-refs") == 1);
  CHECK(server.asked("fetch") == 0);
  const auto tree = [&](BuildRequest r) {
    World other;
    build(other, r);
    const auto layers = other.store().layers.list();
    return testing::describe(other.store().layers.directory(layers.front()) +
                             "/tree");
  };
  CHECK(tree(request(server.url())).count(".git") == 0);
  BuildRequest r =
      request(server.url() + "#main:dir", "FROM scratch\nCOPY b /\n");
  CHECK(tree(r).size() == 1);
  r = request(server.url());
  r.build_args = {{"BUILDKIT_CONTEXT_KEEP_GIT_DIR", "1"}};
  CHECK(tree(r).count(".git") == 1);
}

TEST_CASE("named contexts: repository, URL, directory with its ignore file",
          "[builder]") {
  if (!testing::have_root()) return;
  World world;
  world.file("named/a", "1");
  world.file("named/b", "2");
  world.file("named/.dockerignore", "b");
  world.web.files["http://h/x.txt"] = {"web", "", "", ""};
  world.request.build_contexts = {{"dir", world.context + "/named"},
                                  {"web", "http://h/x.txt"}};
  world.build("FROM scratch\nCOPY --from=dir a /\nCOPY --from=web context /\n");
  CHECK(world.store().layers.list().size() == 2);
  CHECK_THROWS_WITH(world.build("FROM scratch\nCOPY --from=dir b /\n"),
                    Catch::Contains("\"/b\": not found"));
  CHECK(world.build("FROM web\n").executed == 1);
  if (!test::GitServer::available()) return;
  test::GitServer server;
  world.request.build_contexts["repo"] = server.url() + "#v1:dir";
  world.build("FROM scratch\nCOPY --from=repo b /\n");
  CHECK(server.asked("fetch") == 1);
}

TEST_CASE("an image in somebody's OCI layout serves as a base", "[builder]") {
  if (!testing::have_root()) return;
  World made;
  made.file("a", "1");
  made.request.tags = {registry::Reference::parse("base:1")};
  const BuildResult base =
      made.build("FROM scratch\nCOPY a /\nENV FROM_LAYOUT=1\n");
  // The store is a layout; its names are those of docker.
  const std::string layout = "oci-layout://" + made.store().root();
  World world;
  for (const std::string& where :
       {layout + ":base:1", layout + "@" + base.manifest.digest.text()}) {
    world.request.build_contexts = {{"base", where}};
    const auto config =
        world.config(world.build("FROM base\nCOPY --from=base a /b\n"));
    CHECK(config.config.env.back() == "FROM_LAYOUT=1");
    CHECK(config.diff_ids.size() == 2);
  }
  CHECK(world.images.asked == 0);
  world.request.build_contexts = {{"base", layout + ":none"}};
  CHECK_THROWS_WITH(world.build("FROM base\n"),
                    Catch::Contains("could not be resolved"));
}

TEST_CASE("a named context for one platform goes before the general one",
          "[builder]") {
  if (!testing::have_root()) return;
  World world;
  world.file("one/a", "1");
  world.file("other/b", "2");
  world.request.platform = store::Platform{"linux", "arm64"};
  world.request.build_contexts = {{"x::linux/arm64", world.context + "/one"},
                                  {"x", world.context + "/other"}};
  CHECK_NOTHROW(world.build("FROM scratch\nCOPY --from=x a /\n"));
  world.request.platform = store::Platform{"linux", "amd64"};
  CHECK_NOTHROW(world.build("FROM scratch\nCOPY --from=x b /\n"));
}

TEST_CASE("contexts that are nothing", "[builder]") {
  World world;
  const auto say = [&](const BuildRequest& r) -> std::string {
    try {
      build(world, r);
    } catch (const UsageError& e) {
      return e.what();
    }
    return "accepted";
  };
  const std::string text = "FROM scratch\n";
  CHECK(say(request("/no/such/dir", text)) ==
        "unable to prepare context: path \"/no/such/dir\" not found");
  CHECK(say(request("/etc/passwd", text)) ==
        "unable to prepare context: /etc/passwd is not a directory");
  CHECK(say(request("https://h/a.git?x=1", text)) ==
        "invalid git context https://h/a.git?x=1: unexpected query \"x\"");
  BuildRequest r = request(world.context, text);
  r.build_contexts = {{"x", "target:y"}};
  CHECK(say(r).find("bake") != std::string::npos);
  r.build_contexts = {{"x", "s3://bucket"}};
  CHECK(say(r).find("unsupported context source s3") != std::string::npos);
  r.build_contexts = {{"x", "oci-layout:///no/such"}};
  CHECK(say(r).find("no such directory") != std::string::npos);
  CHECK_THROWS_WITH(build(world, request("", "FROM scratch\nCOPY a /\n")),
                    Catch::Contains("\"/a\": not found"));
}

}  // namespace
}  // namespace cbuild::builder
