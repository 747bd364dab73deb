#include "builder/disposal.h"

#include <unistd.h>

#include <catch2/catch.hpp>

namespace cbuild::builder {
namespace {

bool there(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace

TEST_CASE("what a step leaves goes in the end, what holds data at once",
          "[builder]") {
  const TempDir root("/tmp", "cbuild-test-");
  TempDir small(root.path(), "small-");
  TempDir large(root.path(), "large-");
  const std::string small_path = small.path();
  const std::string large_path = large.path();
  make_dirs(small_path + "/work/work/incompat/volatile");
  make_dirs(large_path + "/work");
  make_dirs(large_path + "/bind-0");
  {
    Disposal disposal;
    disposal.take(std::move(small));
    disposal.take(std::move(large));
    for (int tries = 0; tries < 1000 && there(large_path); ++tries)
      ::usleep(10'000);
    CHECK_FALSE(there(large_path));
    CHECK(there(small_path));
  }
  CHECK_FALSE(there(small_path));
}

}  // namespace cbuild::builder
