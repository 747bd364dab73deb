#include "store/staging.h"

#include <catch2/catch.hpp>

#include "scratch.h"

using namespace cbuild;
using namespace cbuild::store;

namespace {

std::vector<std::string> names_in(const std::string& path) {
  return list_dir(open_path(path, O_RDONLY | O_DIRECTORY).get());
}

}  // namespace

TEST_CASE("a session is one directory with one lock, and both go with it",
          "[staging]") {
  const TempDir root("/tmp", "cbuild-test-");
  ensure_layout(root.path());
  {
    Staging staging(root.path());
    const std::string directory = staging.directory();
    const std::vector<std::string> sessions = names_in(root.path() + "/tmp");
    REQUIRE(sessions.size() == 1);
    CHECK(directory == root.path() + "/tmp/" + sessions[0]);
    CHECK(names_in(root.path() + "/locks") == sessions);
    CHECK(staging.directory() == directory);
  }
  CHECK(names_in(root.path() + "/tmp").empty());
  CHECK(names_in(root.path() + "/locks").empty());
}
