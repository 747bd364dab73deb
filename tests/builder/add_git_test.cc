// ADD of git repositories, from a server on the loopback.
#include <catch2/catch.hpp>

#include "copy_fixture.h"
#include "fakes.h"
#include "tests/support/git_server.h"

namespace cbuild::builder {
namespace {

using test::GitServer;
using testing::World;

bool can_run() { return testing::have_root() && GitServer::available(); }

struct GitWorld : World {
  GitServer server;

  // What an ADD into / makes, and how many steps ran.
  std::size_t add(const std::string& source) {
    server.clear();
    return build("FROM scratch\nADD " + source + " /\n").executed;
  }
};

// Paths, with their modes, of the only layer.
std::map<std::string, std::string> tree(World& world) {
  const auto layers = world.store().layers.list();
  REQUIRE(layers.size() == 1);
  return testing::describe(world.store().layers.directory(layers.front()) +
                           "/tree");
}

TEST_CASE("ADD of a git repository is its files, 0644 or 0755", "[builder]") {
  if (!can_run()) return;
  GitWorld world;
  CHECK(world.add(world.server.url()) == 1);
  const auto files = tree(world);
  CHECK(files.at("a") == "f 644 0:0 two\n");
  CHECK(files.at("x") == "f 755 0:0 run\n");
  CHECK(files.at("link") == "l 0:0 -> a");
  CHECK(files.at("dir") == "d 755 0:0");
  CHECK(files.at("sub/inner") == "f 644 0:0 inner\n");
  CHECK(files.count(".git") == 0);
  CHECK(files.count("sub/.git") == 0);
}

TEST_CASE("branch, tag, commit and subdirectory of a git repository",
          "[builder]") {
  if (!can_run()) return;
  GitServer server;
  const auto a_of = [&](const std::string& rest) {
    World world;
    world.build("FROM scratch\nADD " + server.url() + rest + " /\n");
    return tree(world).at("a");
  };
  CHECK(a_of("#dev") == "f 644 0:0 dev\n");
  CHECK(a_of("?branch=dev") == "f 644 0:0 dev\n");
  CHECK(a_of("#refs/heads/dev") == "f 644 0:0 dev\n");
  CHECK(a_of("#v1") == "f 644 0:0 one\n");
  CHECK(a_of("?tag=v1") == "f 644 0:0 one\n");
  CHECK(a_of("#" + server.id("v1^{commit}")) == "f 644 0:0 one\n");
  CHECK(a_of("?ref=v1&submodules=0") == "f 644 0:0 one\n");
  World world;
  world.build("FROM scratch\nADD " + server.url() + "#main:dir /\n");
  CHECK(tree(world) ==
        std::map<std::string, std::string>{{"b", "f 644 0:0 b\n"}});
}

TEST_CASE("a cached ADD of a git repository asks for its refs and no more",
          "[builder]") {
  if (!can_run()) return;
  GitWorld world;
  const std::string source = world.server.url() + "?submodules=false";
  CHECK(world.add(source) == 1);
  CHECK(world.server.asked("fetch") == 1);
  CHECK(world.add(source) == 0);
  CHECK(world.server.asked("ls-refs") == 1);
  CHECK(world.server.asked("fetch") == 0);
  SECTION("a new commit is a miss") {
    world.server.commit("a", "three");
    CHECK(world.add(source) == 1);
    CHECK(world.server.asked("fetch") == 1);
    CHECK(world.add(source) == 0);
  }
  SECTION("the commit's id asks for nothing and is the same step") {
    CHECK(world.add(world.server.url() +
                    "?submodules=false&ref=" + world.server.id("main")) == 0);
    CHECK(world.server.asked("ls-refs") == 0);
  }
  SECTION("other flags are other steps, with nothing to fetch") {
    CHECK(world.add(source + "&subdir=dir") == 1);
    CHECK(world.server.asked("fetch") == 0);
    CHECK(world.add("--chown=1:2 " + source) == 1);
    CHECK(world.server.asked("fetch") == 0);
  }
}

TEST_CASE("ADD --keep-git-dir keeps a repository git can read", "[builder]") {
  if (!can_run()) return;
  for (const char* ref : {"main", "v1"}) {
    GitWorld world;
    world.add("--keep-git-dir=true " + world.server.url() + "#" + ref);
    const auto layers = world.store().layers.list();
    REQUIRE(layers.size() == 1);
    const std::string where =
        world.store().layers.directory(layers.front()) + "/tree";
    const auto git = [&](const std::string& words) {
      return test::run_program(
          {"sh", "-c", "git -c safe.directory='*' -C " + where + " " + words});
    };
    CHECK(git("status --porcelain").output == "");
    CHECK(git("rev-parse HEAD").output ==
          world.server.id(std::string(ref) + "^{commit}") + "\n");
    CHECK(git("config remote.origin.url").output == world.server.url() + "\n");
    CHECK(git("rev-parse " + std::string(ref)).output ==
          world.server.id(ref) + "\n");
  }
}

TEST_CASE("ADD --checksum of a git repository", "[builder]") {
  if (!can_run()) return;
  GitWorld world;
  const std::string url = world.server.url() + "?submodules=0";
  const std::string id = world.server.id("main");
  CHECK(world.add("--checksum=" + id + " " + url) == 1);
  CHECK(world.add("--checksum=" + id.substr(0, 8) + " " + url) == 0);
  CHECK_THROWS_WITH(
      world.add("--checksum=0123 " + url),
      Catch::Contains("expected checksum to match 0123, got " + id));
  CHECK_THROWS_WITH(world.add("--checksum=sha256:0 " + url),
                    Catch::Contains("expected hex commit hash"));
  // An annotated tag counts by its own id and by its commit's.
  for (const char* name : {"v1", "v1^{commit}"})
    CHECK_NOTHROW(world.add("--checksum=" + world.server.id(name) + " " + url +
                            "&tag=v1"));
}

TEST_CASE("a private git repository wants a secret", "[builder]") {
  if (!can_run()) return;
  GitWorld world;
  const std::string url = world.server.url("private/") + "?submodules=0";
  CHECK_THROWS_AS(world.add(url), registry::CredentialsError);
  world.file("../token", "secret\n");
  const SecretSource token{SecretSource::Kind::file,
                           world.context + "/../token"};
  world.request.secrets["GIT_AUTH_TOKEN.example.org"] = token;
  CHECK_THROWS_AS(world.add(url), registry::CredentialsError);
  SECTION("for all hosts") { world.request.secrets["GIT_AUTH_TOKEN"] = token; }
  SECTION("for this one") {
    const std::string host = url.substr(7, url.find('/', 7) - 7);
    world.request.secrets["GIT_AUTH_TOKEN." + host] = token;
  }
  CHECK(world.add(url) == 1);
}

TEST_CASE("what a git repository does not have", "[builder]") {
  if (!can_run()) return;
  GitWorld world;
  const std::string url = world.server.url();
  CHECK_THROWS_WITH(world.add(url + "#nowhere"),
                    Catch::Contains("repository does not contain ref nowhere"));
  CHECK_THROWS_WITH(world.add(url + "#main:nowhere"),
                    Catch::Contains("invalid subdir nowhere"));
  CHECK_THROWS_WITH(world.add(url + "#main:link"),
                    Catch::Contains("link is not a directory"));
  CHECK_THROWS_AS(world.add(url + "#" + std::string(40, '1')),
                  registry::RegistryError);
  CHECK_THROWS_WITH(world.build("FROM scratch\nCOPY " + url + " /\n"),
                    Catch::Contains("source can't be a git ref for COPY"));
  CHECK_THROWS_WITH(world.build("FROM scratch\nADD --keep-git-dir " + url +
                                "?keep-git-dir=0 /\n"),
                    Catch::Contains("inconsistent keep-git-dir configuration"));
}

TEST_CASE("git over ssh is asked as whoever runs the build", "[builder]") {
  if (!can_run()) return;
  World world;
  const std::string log = world.context + "/../ssh.log";
  world.file("../ssh", "echo \"$@\" >>" + log +
                           "\necho 'Permission denied (publickey).' >&2\n"
                           "exit 255\n");
  const test::Environment environment(
      {{"GIT_SSH_COMMAND", "sh " + world.context + "/../ssh"}});
  for (const char* remote :
       {"git@127.0.0.1:a/b.git#main", "ssh://me@127.0.0.1/a/b"})
    CHECK_THROWS_AS(
        world.build("FROM scratch\nADD " + std::string(remote) + " /\n"),
        registry::CredentialsError);
  const std::string asked = read_file(log).value_or("");
  CHECK(asked.find("git@127.0.0.1 git-upload-pack 'a/b.git'") !=
        std::string::npos);
  CHECK(asked.find("me@127.0.0.1 git-upload-pack '/a/b'") != std::string::npos);
}

TEST_CASE("a submodule is fetched once, whatever else is committed",
          "[builder]") {
  if (!can_run()) return;
  GitWorld world;
  CHECK(world.add(world.server.url()) == 1);
  CHECK(world.server.asked("fetch") == 2);
  world.server.commit("a", "three");
  CHECK(world.add(world.server.url()) == 1);
  CHECK(world.server.asked("fetch") == 1);
  SECTION("damaged ones are fetched anew") {
    const std::string all = world.store().root() + "/git/repositories/";
    const Fd repositories = open_path(all, O_RDONLY | O_DIRECTORY);
    const std::string module =
        all + list_dir(repositories.get()).front() + "/modules/sub";
    remove_tree(module + "/objects");
    world.server.commit("a", "four");
    CHECK(world.add(world.server.url()) == 1);
    CHECK(world.server.asked("fetch") == 2);
  }
  const auto layers = world.store().layers.list();
  for (const store::LayerId& id : layers)
    CHECK(testing::describe(world.store().layers.tree(id)).at("sub/inner") ==
          "f 644 0:0 inner\n");
}

TEST_CASE("a submodule cannot lead to files of this machine", "[builder]") {
  if (!can_run()) return;
  GitWorld world;
  world.server.commit(".gitmodules",
                      "[submodule \"sub\"]\n\tpath = sub\n\turl = " +
                          world.server.directory() + "/sub.git");
  CHECK_THROWS_WITH(world.add(world.server.url()),
                    Catch::Contains("failed to update submodules"));
}

}  // namespace
}  // namespace cbuild::builder
