// Hard links: which names are one file, and what becomes of them.
#include <sys/mount.h>

#include <catch2/catch.hpp>

#include "tests/builder/copy_fixture.h"

namespace cbuild::builder {
namespace {

using testing::copy_spec;
using testing::CopyWorld;
using testing::plant;

struct stat stat_of(const std::string& path) {
  return *lstat_at(AT_FDCWD, path);
}

void hard_link(const std::string& old_name, const std::string& new_name) {
  check(::link(old_name.c_str(), new_name.c_str()), "link", new_name);
}

// A tmpfs for as long as the test runs.
class Mounted {
 public:
  explicit Mounted(std::string path) : path_(std::move(path)) {
    make_dirs(path_);
    there_ = ::mount("none", path_.c_str(), "tmpfs", 0, "size=1m") == 0;
  }
  ~Mounted() {
    if (there_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  Mounted(const Mounted&) = delete;
  Mounted& operator=(const Mounted&) = delete;
  explicit operator bool() const { return there_; }

 private:
  std::string path_;
  bool there_;
};

TEST_CASE("equal inode numbers of two file systems are two files") {
  CopyWorld world;
  const Mounted one(world.context + "/d/one");
  const Mounted two(world.context + "/d/two");
  if (!one || !two) {
    WARN("SKIPPED: mounting a tmpfs is not permitted here");
    return;
  }
  for (const char* name : {"/d/one/", "/d/two/"}) {
    plant(world.context, {{name + std::string("f"), name}});
    const std::string f = world.context + name + "f";
    hard_link(f, world.context + name + "g");
  }
  // A tmpfs numbers its inodes from the start.
  REQUIRE(stat_of(world.context + "/d/one/f").st_ino ==
          stat_of(world.context + "/d/two/f").st_ino);
  world.run(copy_spec({"d"}, "/o"));
  CHECK(world.made().at("o/one/g") == "f 644 0:0 /d/one/");
  CHECK(world.made().at("o/two/g") == "f 644 0:0 /d/two/");
  CHECK(stat_of(world.destination + "/o/two/g").st_nlink == 2);
}

TEST_CASE("a second name alone is the file itself, from everywhere") {
  CopyWorld world;
  plant(world.context, {{"a/first", "text", 0600}, {"b/", ""}});
  hard_link(world.context + "/a/first", world.context + "/b/second");
  world.run(copy_spec({"b/second"}, "/one"));
  world.run_from(world.context, copy_spec({"b/second"}, "/two"));
  world.run_from(world.context, copy_spec({"b"}, "/three"));
  for (const char* path : {"one", "two", "three/second"}) {
    CHECK(world.made().at(path) == "f 600 0:0 text");
    CHECK(stat_of(world.destination + "/" + path).st_nlink == 1);
  }
}

TEST_CASE("the first name left out, the others stay one file") {
  CopyWorld world;
  plant(world.context, {{"d/a", "text"}});
  for (const char* name : {"b", "c"})
    hard_link(world.context + "/d/a", world.context + "/d/" + name);
  CopySpec spec = copy_spec({"d"}, "/o");
  spec.exclude = {"a"};
  world.run(spec);
  spec.destination = "/p";
  world.run_from(world.context, spec);
  for (const char* path : {"/o/", "/p/"}) {
    const std::string made = world.destination + path;
    CHECK(stat_of(made + "b").st_nlink == 2);
    CHECK(stat_of(made + "b").st_ino == stat_of(made + "c").st_ino);
  }
}

}  // namespace
}  // namespace cbuild::builder
