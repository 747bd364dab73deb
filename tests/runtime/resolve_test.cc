#include "runtime/resolve.h"

#include <fcntl.h>

#include <catch2/catch.hpp>

#include "base/dir.h"
#include "base/error.h"

namespace cbuild::runtime {
namespace {

// d/, d/f, up -> .., abs -> /d, dangling -> /new/place, loop -> loop
class Tree {
 public:
  Tree() : dir_("/tmp", "cbuild-resolve-") {
    make_dirs(dir_.path() + "/d");
    fd_ = open_path(dir_.path(), O_RDONLY | O_DIRECTORY);
    replace_file_at(fd_.get(), "d/f", "", false);
    for (const auto& [name, target] :
         {std::pair("up", ".."), std::pair("abs", "/d"),
          std::pair("dangling", "/new/place"), std::pair("loop", "loop")})
      check(::symlinkat(target, fd_.get(), name), "symlink", name);
  }
  int fd() const { return fd_.get(); }

 private:
  TempDir dir_;
  Fd fd_;
};

std::string show(const ResolvedPath& path) {
  return path.path() + " " + std::to_string(path.existing) +
         (path.in_mount ? " in mount" : "");
}

}  // namespace

TEST_CASE("paths of an image: where they lead and what is there", "[runtime]") {
  Tree tree;
  struct Case {
    const char* path;
    const char* want;  // path, number of parts that exist
  };
  const Case cases[] = {
      {"/", ". 0"},
      {"/d/f", "d/f 2"},
      {"//d/./f/", "d/f 2"},
      {"/d/new/deep", "d/new/deep 1"},
      {"/../../d", "d 1"},
      {"/up/d", "d 1"},
      {"/abs/f", "d/f 2"},
      {"/abs/new", "d/new 1"},
      {"/dangling", "new/place 0"},
      {"/dangling/x", "new/place/x 0"},
      // ".." takes away what is not there, too.
      {"/none/../d/f", "d/f 2"},
      {"/d/../none/..", ". 0"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.path) {
      CHECK(show(resolve_in_root(tree.fd(), c.path)) == c.want);
    }
  }
}

TEST_CASE("paths of an image: a mount hides what is below", "[runtime]") {
  Tree tree;
  CHECK(show(resolve_in_root(tree.fd(), "/d/f", {"d"})) == "d 1 in mount");
  CHECK(show(resolve_in_root(tree.fd(), "/abs/x/y", {"d"})) == "d 1 in mount");
  CHECK(show(resolve_in_root(tree.fd(), "/d", {"d"})) == "d 1");
}

TEST_CASE("paths of an image: loops and files as directories are errors",
          "[runtime]") {
  Tree tree;
  CHECK_THROWS_WITH(resolve_in_root(tree.fd(), "/loop"),
                    Catch::Contains("Too many levels"));
  // Making something below it fails; resolving does not.
  CHECK(show(resolve_in_root(tree.fd(), "/d/f/x")) == "d/f/x 2");
}

}  // namespace cbuild::runtime
