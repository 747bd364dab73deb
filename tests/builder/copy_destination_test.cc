// Destinations that are links or lie under some: bug B24 of the peers.
#include <catch2/catch.hpp>

#include "tests/builder/copy_fixture.h"

namespace cbuild::builder {
namespace {

using testing::copy_spec;
using testing::CopyWorld;
using testing::error_of;
using testing::plant;

struct Case {
  const char* source;
  const char* destination;
  const char* lands;   // where "f" is found afterwards
  const char* linked;  // where --link puts it, which sees nothing of the root
};

// A root whose /bin is a link, as that of today's distributions.
void plant_root(const std::string& root) {
  plant(root, {{"usr/bin/tool", "T"},
               {"bin", "-> usr/bin"},
               {"sbin", "-> /usr/bin"},
               {"chain", "-> bin"},
               {"dangling", "-> opt/new"},
               {"out", "-> ../../../../usr/bin"},
               {"var/run", "-> ../run"},
               {"run/", ""},
               {"deep/link", "-> ../usr"},
               {"file", "-> usr/bin/tool"}});
}

TEST_CASE("a destination under links lands where they lead inside the root") {
  // The path is cleaned before links are followed.
  const Case cases[] = {
      {"f", "/bin/", "usr/bin/f", "bin/f"},
      {"f", "/bin", "usr/bin/f", "bin"},
      {"f", "/bin/new", "usr/bin/new", "bin/new"},
      {"d", "/bin", "usr/bin/f", "bin/f"},
      {"d", "/bin/", "usr/bin/f", "bin/f"},
      {"d", "/bin/sub", "usr/bin/sub/f", "bin/sub/f"},
      {"f", "/sbin/", "usr/bin/f", "sbin/f"},
      {"d", "/sbin", "usr/bin/f", "sbin/f"},
      {"f", "/chain/", "usr/bin/f", "chain/f"},
      {"f", "/dangling/", "opt/new/f", "dangling/f"},
      {"f", "/dangling", "opt/new", "dangling"},
      {"d", "/dangling", "opt/new/f", "dangling/f"},
      {"f", "/out/", "usr/bin/f", "out/f"},
      {"d", "/out", "usr/bin/f", "out/f"},
      {"f", "/var/run/", "run/f", "var/run/f"},
      {"f", "/var/run/x/y", "run/x/y", "var/run/x/y"},
      {"f", "/deep/link/bin/", "usr/bin/f", "deep/link/bin/f"},
      {"f", "/deep/link/../f", "deep/f", "deep/f"},
      {"f", "/../../bin/f", "usr/bin/f", "bin/f"},
      {"f", "/file", "usr/bin/tool", "file"},
      {"f", "/usr/bin", "usr/bin/f", "usr/bin"},
      {"f", "/usr/bin/.", "usr/bin/f", "usr/bin/f"},
  };
  for (const Case& c : cases) {
    INFO(c.source << " to " << c.destination);
    CopyWorld world;
    plant(world.context, {{"f", "F"}, {"d/f", "F"}});
    plant_root(world.destination);
    world.run(copy_spec({c.source}, c.destination));
    const auto made = world.made();
    REQUIRE(made.count(c.lands) == 1);
    CHECK(made.at(c.lands) == "f 644 0:0 F");
    // Every link is still one.
    for (const char* link : {"bin", "sbin", "chain", "dangling", "out", "file",
                             "var/run", "deep/link"})
      CHECK(made.at(link).substr(0, 1) == "l");
    CopyWorld empty;
    plant(empty.context, {{"f", "F"}, {"d/f", "F"}});
    empty.run(copy_spec({c.source}, c.destination));
    const auto linked = empty.made();
    REQUIRE(linked.count(c.linked) == 1);
    CHECK(linked.at(c.linked) == "f 644 0:0 F");
  }
}

TEST_CASE("links that lead to themselves end with an error") {
  CopyWorld world;
  plant(world.context, {{"f", "F"}});
  plant(world.destination, {{"a", "-> b"}, {"b", "-> a"}});
  for (const char* destination : {"/a", "/a/", "/a/x/f"})
    CHECK_THAT(error_of([&] { world.run(copy_spec({"f"}, destination)); }),
               Catch::Contains("too many links"));
}

TEST_CASE("nothing is ever written outside the root") {
  CopyWorld world;
  plant(world.context, {{"d/f", "F"}, {"d/away/g", "G"}});
  plant(world.dir.path(), {{"outside/", ""}});
  const std::string outside = world.dir.path() + "/outside";
  plant(world.destination, {{"abs", ("-> " + outside).c_str()},
                            {"rel", "-> ../outside"},
                            {"o/away", "-> ../../outside"}});
  world.run(copy_spec({"d/f"}, "/abs/"));
  world.run(copy_spec({"d/f"}, "/rel/"));
  // Below the destination a link in a directory's place is an error.
  CHECK(error_of([&] { world.run(copy_spec({"d"}, "/o")); }) ==
        "cannot copy to non-directory: /o/away");
  CHECK(testing::describe(outside).empty());
  CHECK(world.made().at("outside/f") == "f 644 0:0 F");
}

}  // namespace
}  // namespace cbuild::builder
