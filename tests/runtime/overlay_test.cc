#include "runtime/overlay.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "sandbox.h"

namespace cbuild::runtime {
namespace {

// Layers 0 (on top) to n-1; each has a directory n<number>, two have "who".
class Layers {
 public:
  explicit Layers(int count) : dir_("/tmp", "cbuild-overlay-") {
    for (int i = 0; i < count; ++i) {
      const std::string layer = dir_.path() + "/l" + std::to_string(i);
      make_dirs(layer + "/n" + std::to_string(i));
      const Fd fd = open_path(layer, O_RDONLY | O_DIRECTORY);
      if (i < 2) replace_file_at(fd.get(), "who", std::to_string(i), false);
      spec.lowers.push_back(layer);
    }
    make_dirs(dir_.path() + "/upper");
    make_dirs(dir_.path() + "/work");
  }
  void add_upper() {
    spec.upper = dir_.path() + "/upper";
    spec.work = dir_.path() + "/work";
  }
  std::string path() const { return dir_.path(); }

  OverlaySpec spec;

 private:
  TempDir dir_;
};

std::string content(const Fd& root, const std::string& path) {
  return read_all(open_in_root(root.get(), path, O_RDONLY).get(), path);
}

using Mounter = Fd (*)(const OverlaySpec&);

}  // namespace

TEST_CASE("overlay: 500 layers", "[runtime]") {
  NEED_SANDBOX();
  const Mounter mounter = GENERATE(mount_overlay, mount_overlay_by_page);
  Layers layers(500);
  layers.add_upper();
  const Fd root = mounter(layers.spec);
  CHECK(content(root, "/who") == "0");
  CHECK(list_dir(root.get()).size() == 501);
}

TEST_CASE("overlay: more layers than the kernel stacks are refused in words",
          "[runtime]") {
  NEED_SANDBOX();
  Layers layers(501);
  layers.add_upper();
  CHECK_THROWS_WITH(
      mount_overlay(layers.spec),
      Catch::Contains("501 layers") && Catch::Contains("join RUN"));
}

TEST_CASE("overlay: writes go to the upper directory only", "[runtime]") {
  NEED_SANDBOX();
  const Mounter mounter = GENERATE(mount_overlay, mount_overlay_by_page);
  Layers layers(2);
  layers.add_upper();
  {
    const Fd root = mounter(layers.spec);
    const Fd file = open_in_root(root.get(), "/new", O_WRONLY | O_CREAT, 0644);
    write_all(file.get(), "text", "new");
    check(::unlinkat(root.get(), "who", 0), "unlink", "who");
  }
  CHECK(read_file(layers.path() + "/upper/new") == "text");
  CHECK(read_file(layers.path() + "/l0/who") == "0");
  struct stat whiteout;
  REQUIRE(::lstat((layers.path() + "/upper/who").c_str(), &whiteout) == 0);
  CHECK(S_ISCHR(whiteout.st_mode));
}

TEST_CASE("overlay: without an upper directory it is read-only", "[runtime]") {
  NEED_SANDBOX();
  const int count = GENERATE(1, 2);
  Layers layers(count);
  const Fd root = mount_overlay(layers.spec);
  CHECK(content(root, "/who") == "0");
  try {
    open_in_root(root.get(), "/new", O_WRONLY | O_CREAT, 0644);
    FAIL("written");
  } catch (const SystemError& e) {
    CHECK(e.code() == EROFS);
  }
}

TEST_CASE("overlay: without lower ones it is the upper directory itself",
          "[runtime]") {
  NEED_SANDBOX();
  Layers layers(0);
  layers.add_upper();
  const Fd root = mount_overlay(layers.spec);
  open_in_root(root.get(), "/new", O_WRONLY | O_CREAT, 0644);
  CHECK(read_file(layers.path() + "/upper/new") == "");
}

TEST_CASE("overlay: an absolute link leads no further than its root",
          "[runtime]") {
  NEED_SANDBOX();
  Layers layers(2);
  REQUIRE(::symlink("/who", (layers.path() + "/l1/link").c_str()) == 0);
  const Fd root = mount_overlay(layers.spec);
  CHECK(content(root, "/link") == "0");
  CHECK(content(root, "/../../n0/../link") == "0");
}

TEST_CASE("overlay: odd characters in paths are no separators", "[runtime]") {
  NEED_SANDBOX();
  const Mounter mounter = GENERATE(mount_overlay, mount_overlay_by_page);
  Layers layers(2);
  const std::string odd = layers.path() + "/a:b,c\\d=e f";
  make_dirs(odd);
  replace_file_at(open_path(odd, O_RDONLY).get(), "odd", "yes", false);
  layers.spec.lowers.insert(layers.spec.lowers.begin(), odd);
  CHECK(content(mounter(layers.spec), "/odd") == "yes");
}

TEST_CASE("overlay: a layer may be known by descriptor only", "[runtime]") {
  NEED_SANDBOX();
  const Mounter mounter = GENERATE(mount_overlay, mount_overlay_by_page);
  Layers layers(2);
  layers.add_upper();
  const Fd lower = open_path(layers.spec.lowers[0], O_PATH | O_DIRECTORY);
  layers.spec.lowers[0] = "/proc/self/fd/" + std::to_string(lower.get());
  CHECK(content(mounter(layers.spec), "/who") == "0");
}

TEST_CASE("overlay: a layer that is missing is named", "[runtime]") {
  NEED_SANDBOX();
  const Mounter mounter = GENERATE(mount_overlay, mount_overlay_by_page);
  Layers layers(2);
  layers.spec.lowers.push_back("/no/such/layer");
  CHECK_THROWS_WITH(mounter(layers.spec),
                    Catch::Contains("/no/such/layer") &&
                        Catch::Contains("No such file or directory"));
}

TEST_CASE("overlay: without privilege it is an IsolationError", "[runtime]") {
  NEED_SANDBOX();
  Layers layers(GENERATE(1, 2));
  const pid_t child = ::fork();
  REQUIRE(child != -1);
  if (child == 0) {
    if (::setresuid(65534, 65534, 65534) == -1) ::_exit(3);
    try {
      mount_overlay(layers.spec);
    } catch (const IsolationError&) {
      ::_exit(0);
    } catch (...) {
      ::_exit(2);
    }
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("overlay: an upper directory on an overlay is an IsolationError",
          "[runtime]") {
  NEED_SANDBOX();
  Layers below(2);
  below.add_upper();
  const Fd root = mount_overlay(below.spec);
  const std::string inside =
      "/proc/self/fd/" + std::to_string(root.get()) + "/";
  make_dirs(inside + "u");
  make_dirs(inside + "w");
  Layers layers(1);
  layers.spec.upper = inside + "u";
  layers.spec.work = inside + "w";
  CHECK_THROWS_AS(mount_overlay(layers.spec), IsolationError);
}

}  // namespace cbuild::runtime
