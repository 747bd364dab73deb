// Contexts as a whole: modes, and what of them counts.
#include <catch2/catch.hpp>

#include "builder/context_listing.h"
#include "tests/builder/copy_fixture.h"

namespace cbuild::builder {
namespace {

using testing::copy_spec;
using testing::CopyWorld;
using testing::plant;

FileView git_view(const CopyWorld& world) {
  return FileView::of_directory(world.context, parser::IgnoreMatcher(),
                                world.dir.path() + "/table", {},
                                ContextMode::git);
}

void plant_checkout(const std::string& root, unsigned mask, unsigned id) {
  plant(root, {{"d/tool", "#!", 0777 & ~mask, id, id},
               {"d/text", "T", 0666 & ~mask, id, id},
               {"d/s/", "", 0777 & ~mask, id, id},
               {"d/l", "-> text"}});
}

TEST_CASE("with git's modes neither umask nor owner reach key or image") {
  if (!testing::have_root()) return;
  const CopySpec spec = copy_spec({"d"}, "/o");
  std::vector<store::KeyInputs> keys;
  for (const unsigned mask : {0u, 022u, 027u, 077u}) {
    INFO(mask);
    CopyWorld world;
    plant_checkout(world.context, mask, mask * 10);
    const FileView view = git_view(world);
    keys.push_back(copy_key_inputs(spec, view));
    CHECK(keys.back() == keys.front());
    const Fd source = open_path(world.context, O_RDONLY | O_DIRECTORY);
    const Fd target = open_path(world.destination, O_RDONLY | O_DIRECTORY);
    copy_files(spec, view, source.get(), target.get());
    CHECK(world.made() ==
          std::map<std::string, std::string>{{"o", "d 755 0:0"},
                                             {"o/l", "l 0:0 -> text"},
                                             {"o/s", "d 755 0:0"},
                                             {"o/text", "f 644 0:0 T"},
                                             {"o/tool", "f 755 0:0 #!"}});
  }
}

TEST_CASE("with git's modes attributes of the checkout are left out") {
  CopyWorld world;
  plant(world.context, {{"f", "F"}});
  const std::string file = world.context + "/f";
  const auto key = copy_key_inputs(copy_spec({"f"}, "/f"), git_view(world));
  if (::setxattr(file.c_str(), "user.note", "hi", 2, 0)) {
    WARN("SKIPPED: no extended attributes on the temporary directory");
    return;
  }
  const FileView view = git_view(world);
  CHECK(copy_key_inputs(copy_spec({"f"}, "/f"), view) == key);
  const Fd source = open_path(world.context, O_RDONLY | O_DIRECTORY);
  const Fd target = open_path(world.destination, O_RDONLY | O_DIRECTORY);
  copy_files(copy_spec({"f"}, "/f"), view, source.get(), target.get());
  char value[8];
  CHECK(::getxattr((world.destination + "/f").c_str(), "user.note", value,
                   sizeof value) == -1);
}

std::vector<std::string> listed(const CopyWorld& world,
                                const std::string& dockerfile = "") {
  BuildRequest request;
  request.context = world.context;
  request.dockerfile = dockerfile;
  std::vector<std::string> lines;
  for (const ContextItem& item : list_context(request, true))
    lines.push_back(item.path + " " + std::to_string(item.size) +
                    (item.excluded() ? " " + item.place + " " + item.pattern
                                     : std::string()));
  return lines;
}

TEST_CASE("a context's listing says which line excludes what") {
  CopyWorld world;
  plant(world.context, {{".dockerignore", "# all\n\n*\n!src\nsrc/*.o\n!x/y\n"},
                        {"src/a.c", "12"},
                        {"src/a.o", "123"},
                        {"src/none/", ""},
                        {"node/m/big", "12345"},
                        {"x/y", "1"},
                        {"x/z", "1"}});
  using Lines = std::vector<std::string>;
  CHECK(listed(world) ==
        Lines{".dockerignore 27 .dockerignore:3 *", "node 5 .dockerignore:3 *",
              "src/a.c 2", "src/a.o 3 .dockerignore:5 src/*.o", "src/none 0",
              "x/y 1", "x/z 1 .dockerignore:3 *"});
  SECTION("the Dockerfile's own ignore file takes the other's place") {
    plant(world.context, {{"app.Dockerfile", ""},
                          {"app.Dockerfile.dockerignore", "node\nsrc\n*D*\n"}});
    CHECK(listed(world, world.context + "/app.Dockerfile") ==
          Lines{".dockerignore 27",
                "app.Dockerfile 0 app.Dockerfile.dockerignore:3 *D*",
                "app.Dockerfile.dockerignore 13 "
                "app.Dockerfile.dockerignore:3 *D*",
                "node 5 app.Dockerfile.dockerignore:1 node",
                "src 5 app.Dockerfile.dockerignore:2 src", "x/y 1", "x/z 1"});
  }
  SECTION("a Dockerfile that is asked for must be there") {
    CHECK_THROWS_AS(listed(world, world.context + "/none"), UsageError);
  }
}

}  // namespace
}  // namespace cbuild::builder
