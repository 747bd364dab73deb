#include <catch2/catch.hpp>

#include "tests/builder/copy_fixture.h"

namespace cbuild::builder {
namespace {

using testing::copy_spec;
using testing::CopyWorld;
using testing::error_of;
using testing::plant;
using Names = std::vector<std::string>;

// Paths of files (not directories) that a copy to /o makes, below it.
Names copied(const CopyWorld& world, CopySpec spec) {
  remove_tree(world.destination + "/o");
  spec.destination = "/o/";
  world.run(spec);
  Names names;
  for (const auto& [path, what] : world.made())
    if (what[0] != 'd') names.push_back(path.substr(2));
  return names;
}

void plant_tree(const CopyWorld& world) {
  plant(world.context, {{"a.t", ""},
                        {"b.x", ""},
                        {"d/", "", 0711},
                        {"d/a.t", ""},
                        {"d/s/a.t", ""},
                        {"d/s/c.x", ""},
                        {"e/a.t", ""},
                        {"a*b", ""},
                        {"link", "-> d/s"},
                        {"file", "-> /d/a.t"}});
}

TEST_CASE("wildcards match like Go's filepath.Match, path by path") {
  CopyWorld world;
  plant_tree(world);
  const auto of = [&](const char* source) {
    return copied(world, copy_spec({source}, ""));
  };
  CHECK(of("*.t") == Names{"a.t"});
  CHECK(of("?.[tx]") == Names{"a.t", "b.x"});
  CHECK(of("*/s/*.x") == Names{"c.x"});
  CHECK(of("d/*") == Names{"a.t", "c.x"});  // d/s gives its contents
  CHECK(of("link/*.x") == Names{"c.x"});    // a link in the fixed part
  CHECK(of("lin*") == Names{"a.t", "c.x"});
  CHECK(of("fil?") == Names{"file"});  // the link's name
  CHECK(of("*/c.x").empty());          // no match, no error
  CHECK(of("a[*]b") == Names{"a*b"});
}

TEST_CASE("a pattern without a match does not even make the destination") {
  CopyWorld world;
  plant_tree(world);
  world.run(copy_spec({"no*"}, "/o/"));
  CHECK(world.made().empty());
}

TEST_CASE("sources are taken from the root, whatever dots and slashes say") {
  CopyWorld world;
  plant_tree(world);
  for (const char* source :
       {"d/s", "/d/s/", "./d/s/.", "../d/x/../s", "link", "link/", "/link/."}) {
    INFO(source);
    CHECK(copied(world, copy_spec({source}, "")) == Names{"a.t", "c.x"});
  }
}

TEST_CASE("a missing source is an error in BuildKit's words") {
  CopyWorld world;
  plant_tree(world);
  plant(world.context, {{"dangling", "-> nowhere"}, {"hidden", "-> e"}});
  world.ignore = {"e"};
  const auto error = [&](const char* source, bool parents = false) {
    CopySpec spec = copy_spec({source}, "/o/");
    spec.parents = parents;
    return error_of([&] { world.run(spec); });
  };
  const std::string start =
      "failed to compute cache key: failed to calculate checksum of ref: ";
  CHECK(error("nope") == start + "\"/nope\": not found");
  CHECK(error("a.t/x") == start + "\"/a.t/x\": not found");
  CHECK(error("dangling") == start +
                                 "\"/dangling\": not found (it links to "
                                 "nowhere, missing)");
  CHECK(error("dang*") == error("dangling"));
  CHECK(error("hidden") ==
        start +
            "\"/hidden\": not found (it links to e, excluded by pattern 1 "
            "of the ignore file)");
  CHECK(error("e") ==
        start + "\"/e\": not found (excluded by pattern 1 of the ignore file)");
  CHECK(error("nope/*") == "lstat /nope: no such file or directory");
  CHECK(error("[a") == "syntax error in pattern");
  CHECK(error("d/nope", true) == start + "\"/d/nope\": not found");
  CHECK(error(".", true) == start + "\"/\": not found");
  CHECK(error("nope/./x", true) == start + "\"/nope/x\": not found");
  CHECK(error("link/a.t", true) == start + "\"/link/a.t\": not found");
  CHECK(error("link/./a.t", true) == start + "\"/link/a.t\": not found");
  CHECK(error("dangling", true) == error("dangling"));
  // --exclude: found missing by the copy, not by the key.
  CopySpec filtered = copy_spec({"nope"}, "/o/");
  filtered.exclude = {"x"};
  CHECK(error_of([&] { world.run(filtered); }) ==
        "lstat /nope: no such file or directory");
}

TEST_CASE(
    "--exclude counts from the copied directory, the last match decides") {
  CopyWorld world;
  plant_tree(world);
  const auto without = [&](const char* source, Names exclude) {
    CopySpec spec = copy_spec({source}, "");
    spec.exclude = std::move(exclude);
    return copied(world, spec);
  };
  CHECK(without("d", {"s"}) == Names{"a.t"});
  CHECK(without("d", {"d/s"}) == Names{"a.t", "s/a.t", "s/c.x"});
  CHECK(without("d", {"**/*.t"}) == Names{"s/c.x"});
  CHECK(without("d", {"*.t"}) == Names{"s/a.t", "s/c.x"});
  CHECK(without("d", {"s", "!s/c.x"}) == Names{"a.t", "s/c.x"});
  CHECK(without("d", {"!s/c.x", "s"}) == Names{"a.t"});
  CHECK(without("d", {"*"}).empty());
  CHECK(without("a.t", {"a.t"}) == Names{"a.t"});  // a named file stays
}

TEST_CASE("a directory excluded but for a file in it keeps its mode") {
  CopyWorld world;
  plant(world.context, {{"d/s/", "", 0711}, {"d/s/keep", ""}, {"d/s/no", ""}});
  CopySpec spec = copy_spec({"d"}, "/o");
  spec.exclude = {"s", "!s/keep"};
  world.run(spec);
  CHECK(world.made() ==
        std::map<std::string, std::string>{{"o", "d 755 0:0"},
                                           {"o/s", "d 711 0:0"},
                                           {"o/s/keep", "f 644 0:0 "}});
}

TEST_CASE("--parents keeps the directories behind the pivot") {
  CopyWorld world;
  plant_tree(world);
  const auto of = [&](const char* source, Names exclude = {}) {
    CopySpec spec = copy_spec({source}, "");
    spec.parents = true;
    spec.exclude = std::move(exclude);
    return copied(world, spec);
  };
  CHECK(of("d/s/c.x") == Names{"d/s/c.x"});
  CHECK(of("/d/./s/c.x") == Names{"s/c.x"});
  CHECK(of("./d/s") == Names{"d/s/a.t", "d/s/c.x"});
  CHECK(of("d/**/*.t") == Names{"d/a.t", "d/s/a.t"});
  CHECK(of("**/c.x") == Names{"d/s/c.x"});
  CHECK(of("*/a.t") == Names{"d/a.t", "e/a.t"});
  CHECK(of("*/./*.t") == Names{"a.t"});
  CHECK(of("d/**", {"d/s/a.t"}) == Names{"d/a.t", "d/s/c.x"});
  CHECK(of("link") == Names{"link"});  // as a link
  CHECK(of("x/../d/a.t") == Names{"d/a.t"});
  CHECK(of("nothing/*").empty());
  // From a stage a file that a pattern before the pivot matches comes too.
  CopySpec staged = copy_spec({"?.?/./*.t"}, "/staged/");
  staged.parents = true;
  world.run_from(world.context, staged);
  CHECK(world.made().count("staged/b.x") == 1);
  world.run(copy_spec({"a.t"}, "/here/"));
  staged.destination = "/here";
  world.run(staged);
  CHECK(world.made().count("here/b.x") == 0);
}

TEST_CASE("--parents gives a directory that exists the mode, not the owner") {
  if (!testing::have_root()) return;
  CopyWorld world;
  plant(world.context, {{"x/", "", 0711}, {"x/a", ""}});
  plant(world.destination, {{"o/x/", "", 0700, 5, 6}});
  CopySpec spec = copy_spec({"x/a"}, "/o/");
  spec.parents = true;
  spec.chmod = "600";
  world.run(spec);
  CHECK(world.made().at("o/x") == "d 711 5:6");
  // What it copies is the root, which is new; nothing else touched /o.
  const auto place = lstat_at(AT_FDCWD, world.destination + "/o");
  CHECK(place->st_mtime > testing::kMtime);
}

}  // namespace
}  // namespace cbuild::builder
