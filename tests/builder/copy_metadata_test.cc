#include <sys/mount.h>
#include <sys/sysmacros.h>

#include <catch2/catch.hpp>

#include "tests/builder/copy_fixture.h"

namespace cbuild::builder {
namespace {

using testing::copy_spec;
using testing::CopyWorld;
using testing::kMtime;
using testing::plant;
using Tree = std::map<std::string, std::string>;

struct stat stat_of(const std::string& path) {
  struct stat st;
  check(::lstat(path.c_str(), &st), "stat", path);
  return st;
}

TEST_CASE("directories made on the way are 0755 whatever the umask") {
  if (!testing::have_root()) return;
  for (const unsigned umask : {0u, 022u, 077u}) {
    INFO(umask);
    CopyWorld world;
    plant(world.context, {{"a", "A"}, {"d/s/b", "B"}});
    plant(world.destination, {{"g/", "", 02775, 0, 50}});
    const mode_t before = ::umask(umask);
    CopySpec octal = copy_spec({"a"}, "/c/c/");
    octal.chmod = "6751";
    CopySpec symbolic = copy_spec({"a"}, "/e/e/");
    symbolic.chmod = "go-r";
    CopySpec owned = copy_spec({"a"}, "/f/f/");
    owned.chown = "5:6";
    for (const CopySpec& spec :
         {copy_spec({"a"}, "/p/q/"), octal, symbolic, owned,
          copy_spec({"a"}, "/g/h/"), copy_spec({"d"}, "/g/i")})
      world.run(spec);
    ::umask(before);
    const Tree made = world.made();
    CHECK(made.at("p/q") == "d 755 0:0");
    CHECK(made.at("c/c") == "d 751 0:0");
    CHECK(made.at("c/c/a") == "f 6751 0:0 A");
    CHECK(made.at("e/e") == "d 755 0:0");
    CHECK(made.at("e/e/a") == "f 600 0:0 A");
    CHECK(made.at("f/f") == "d 755 5:6");
    CHECK(made.at("g/h") == "d 2755 0:50");
    CHECK(made.at("g/i") == "d 2755 0:50");
    CHECK(made.at("g/i/s") == "d 755 0:0");
  }
}

TEST_CASE("owners: root's from a context, kept from a stage, else --chown's") {
  if (!testing::have_root()) return;
  CopyWorld world;
  const std::vector<testing::Node> nodes = {{"d/s/", "", 0755, 3, 4},
                                            {"d/f", "F", 04755, 1, 2},
                                            {"d/l", "-> f", 0, 5, 6}};
  plant(world.context, nodes);
  plant(world.destination, {{"etc/passwd", "app:x:1000:1001::/:/bin/sh\n"},
                            {"etc/group", "staff:x:50:\n"}});
  struct Case {
    const char* chown;
    const char* owner;
  };
  const Case cases[] = {
      {"5:6", " 5:6"},
      {"7", " 7:7"},
      {"app", " 1000:1001"},
      {"app:staff", " 1000:50"},
      {"app:", " 1000:0"},
      {":staff", " 0:50"},
      {":77", " 0:77"},
      {"root", " 0:0"},
      {"nobody", " 0:0"},
      {"app:unknown", " 1000:1001"},
      {"007:010", " 7:10"},
      {"+5", " 5:5"},
      {"-1", " 0:0"},
      {"-2", " 4294967294:4294967294"},
      {"2147483647", " 2147483647:2147483647"},
      {"2147483648", " 0:0"},  // a name: BuildKit's ids have 31 bits
      {"4294967294", " 0:0"},
  };
  for (const Case& c : cases) {
    INFO(c.chown);
    CopySpec spec = copy_spec({"d"}, std::string("/") + c.chown);
    spec.chown = c.chown;
    world.run_from(world.context, spec);
    const Tree made = world.made();
    const std::string top = c.chown;
    CHECK(made.at(top) == std::string("d 755") + c.owner);
    CHECK(made.at(top + "/f") == std::string("f 4755") + c.owner + " F");
    CHECK(made.at(top + "/l") == std::string("l") + c.owner + " -> f");
  }
  world.run(copy_spec({"d"}, "/context"));
  world.run_from(world.context, copy_spec({"d"}, "/stage"));
  const Tree made = world.made();
  CHECK(made.at("context/s") == "d 755 0:0");
  CHECK(made.at("context/f") == "f 4755 0:0 F");
  CHECK(made.at("stage/s") == "d 755 3:4");
  CHECK(made.at("stage/f") == "f 4755 1:2 F");
  CHECK(made.at("stage/l") == "l 5:6 -> f");
  CHECK(made.at("stage") == "d 755 0:0");
}

TEST_CASE("--chmod goes for files and nested directories, not for links") {
  CopyWorld world;
  plant(world.context,
        {{"d/s/g", "", 0604}, {"d/f", "", 0640}, {"d/l", "-> /kept"}});
  plant(world.destination, {{"kept", "", 0600}, {"o/s/", "", 0711}});
  CopySpec spec = copy_spec({"d"}, "/o");
  spec.chmod = "u=rwX,go=rX";
  world.run(spec);
  const Tree made = world.made();
  CHECK(made.at("o/s") == "d 755 0:0");
  CHECK(made.at("o/s/g") == "f 644 0:0 ");
  CHECK(made.at("o/f") == "f 644 0:0 ");
  CHECK(made.at("kept") == "f 600 0:0 ");
}

TEST_CASE("fifos and devices are made, sockets passed over, none is opened") {
  if (!testing::have_root()) return;
  CopyWorld world;
  plant(world.context, {{"d/f", ""}});
  const std::string d = world.context + "/d/";
  check(::mkfifo((d + "p").c_str(), 0600), "mkfifo", "");
  check(::mknod((d + "s").c_str(), S_IFSOCK | 0600, 0), "mknod", "");
  if (::mknod((d + "c").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0) {
    world.run_from(world.context, copy_spec({"d"}, "/q"));
    const struct stat st = stat_of(world.destination + "/q/c");
    CHECK(S_ISCHR(st.st_mode));
    CHECK(st.st_rdev == makedev(1, 3));
  } else {
    WARN("SKIPPED: mknod of a device is not permitted here");
  }
  world.run(copy_spec({"d"}, "/o"));
  world.run(copy_spec({"d/p"}, "/p"));
  CHECK_THAT(testing::error_of([&] { world.run(copy_spec({"d/s"}, "/s")); }),
             Catch::Contains("\"/d/s\": not found (it is a socket)"));
  CHECK(world.made().at("o/p") == "p 600 0:0");
  CHECK(world.made().at("p") == "p 600 0:0");
  CHECK(world.made().count("o/s") == 0);
}

TEST_CASE("file capabilities and user attributes go along") {
  if (!testing::have_root()) return;
  CopyWorld world;
  plant(world.context, {{"d/f", "F", 0755}});
  const std::string file = world.context + "/d/f";
  const char capability[] = "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0";
  if (::setxattr(file.c_str(), "security.capability", capability, 20, 0) ||
      ::setxattr(file.c_str(), "user.note", "hi", 2, 0)) {
    WARN("SKIPPED: no extended attributes on the temporary directory");
    return;
  }
  CopySpec owned = copy_spec({"d"}, "/owned");
  owned.chown = "5:6";
  world.run(owned);
  world.run(copy_spec({"d/f"}, "/one"));
  world.run_from(world.context, copy_spec({"d"}, "/from"));
  for (const char* path : {"/owned/f", "/one", "/from/f"}) {
    INFO(path);
    char value[64];
    const std::string made = world.destination + path;
    CHECK(::getxattr(made.c_str(), "security.capability", value, 64) == 20);
    CHECK(::getxattr(made.c_str(), "user.note", value, 64) == 2);
  }
}

// Bug B10 of the peers: an NFS or a ramfs must not end a build, nor lose what
// the layer's index can keep.
TEST_CASE("a file system without attributes takes files, and gives them") {
  if (!testing::have_root()) return;
  CopyWorld world;
  plant(world.context, {{"d/f", "F", 04755}});
  const std::string file = world.context + "/d/f";
  const char capability[] = "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0";
  if (::setxattr(file.c_str(), "security.capability", capability, 20, 0) ||
      ::mount("none", world.destination.c_str(), "ramfs", 0, "mode=755")) {
    WARN("SKIPPED: no file capabilities or no ramfs here");
    return;
  }
  const FileView view = world.view();
  const Fd source = open_path(world.context, O_RDONLY | O_DIRECTORY);
  CopyResult result;
  {
    const Fd target = open_path(world.destination, O_RDONLY | O_DIRECTORY);
    result =
        copy_files(copy_spec({"d"}, "/o"), view, source.get(), target.get());
  }
  const bool there = world.made().contains("o/f");
  const auto held = result.held.find("o/f");
  CopyWorld other;
  other.run_from(world.destination, copy_spec({"o"}, "/again"));
  ::umount2(world.destination.c_str(), MNT_DETACH);
  CHECK(there);
  REQUIRE(held != result.held.end());
  CHECK(held->second.capability == std::string(capability, 20));
  CHECK(other.made().at("again/f") == "f 4755 0:0 F");
}

TEST_CASE("a capability of a user namespace lands as one for everywhere") {
  if (!testing::have_root()) return;
  CopyWorld world;
  plant(world.context, {{"f", "F", 0755}});
  const std::string file = world.context + "/f";
  const std::string v3("\1\0\0\3\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x40\x42\x0f\0",
                       24);
  if (::setxattr(file.c_str(), "security.capability", v3.data(), 24, 0)) {
    WARN("SKIPPED: no capabilities of user namespaces here");
    return;
  }
  world.run(copy_spec({"f"}, "/one"));
  world.run_from(world.context, copy_spec({"f"}, "/two"));
  for (const char* path : {"/one", "/two"}) {
    char value[64];
    const std::string made = world.destination + path;
    CHECK(::getxattr(made.c_str(), "security.capability", value, 64) == 20);
    CHECK(value[3] == 2);
  }
}

TEST_CASE("with SOURCE_DATE_EPOCH no time is later than that") {
  CopyWorld world;
  plant(world.context, {{"d/s/f", ""}});
  CopySpec spec = copy_spec({"d"}, "/p/q");
  spec.source_date_epoch = kMtime - 5;
  spec.inline_files = {{"EOF", ""}};
  world.run(spec);
  CopySpec later = copy_spec({"d/s/f"}, "/later");
  later.source_date_epoch = kMtime + 5;
  world.run(later);
  for (const char* path : {"/p", "/p/q", "/p/q/s", "/p/q/s/f", "/p/q/EOF"}) {
    INFO(path);
    CHECK(stat_of(world.destination + path).st_mtime == kMtime - 5);
  }
  CHECK(stat_of(world.destination + "/later").st_mtime == kMtime);
}

}  // namespace
}  // namespace cbuild::builder
