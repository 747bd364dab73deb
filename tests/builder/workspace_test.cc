#include "builder/workspace.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>

namespace cbuild::builder {
namespace {

std::vector<std::string> names_in(const std::string& path) {
  return list_dir(open_path(path, O_RDONLY | O_DIRECTORY).get());
}

}  // namespace

TEST_CASE("directories of steps may be made ahead, each is for one step",
          "[builder]") {
  const TempDir root("/tmp", "cbuild-test-");
  {
    store::Store store(root.path());
    StepDirectories directories(store);
    const mode_t before = ::umask(077);
    const TempDir first = directories.take();
    ::umask(before);
    directories.prepare();
    const TempDir second = directories.take();
    const TempDir third = directories.take();
    CHECK(first.path() != second.path());
    CHECK(second.path() != third.path());
    struct stat st;
    REQUIRE(::stat((first.path() + "/upper").c_str(), &st) == 0);
    CHECK((st.st_mode & 07777) == 0755);
    for (const TempDir* each : {&first, &second, &third}) {
      CHECK(names_in(each->path() + "/upper").empty());
      CHECK(names_in(each->path() + "/work").empty());
    }
    directories.prepare();
  }
  CHECK(names_in(root.path() + "/tmp").empty());
}

}  // namespace cbuild::builder
