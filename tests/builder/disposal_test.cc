#include "builder/disposal.h"

#include <unistd.h>

#include <catch2/catch.hpp>

namespace cbuild::builder {
namespace {

bool there(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

void wait_for_end_of(const std::string& path) {
  for (int tries = 0; tries < 1000 && there(path); ++tries) ::usleep(10'000);
  CHECK_FALSE(there(path));
}

}  // namespace

TEST_CASE("what steps leave goes when none is left, what holds data at once",
          "[builder]") {
  const TempDir root("/tmp", "cbuild-test-");
  TempDir small(root.path(), "small-");
  TempDir large(root.path(), "large-");
  TempDir late(root.path(), "late-");
  const std::string small_path = small.path();
  const std::string large_path = large.path();
  const std::string late_path = late.path();
  make_dirs(small_path + "/work/work/incompat/volatile");
  make_dirs(late_path + "/work/work");
  make_dirs(large_path + "/work");
  make_dirs(large_path + "/bind-0");
  {
    Disposal disposal;
    disposal.take(std::move(small));
    disposal.take(std::move(large));
    wait_for_end_of(large_path);
    CHECK(there(small_path));
    disposal.begin();
    wait_for_end_of(small_path);
    disposal.take(std::move(late));
    CHECK(there(late_path));
  }
  CHECK_FALSE(there(late_path));
}

}  // namespace cbuild::builder
