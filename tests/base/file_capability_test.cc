#include "base/file_capability.h"

#include <catch2/catch.hpp>

namespace cbuild {
namespace {

std::string bytes(std::initializer_list<int> values) {
  return {values.begin(), values.end()};
}

TEST_CASE("a capability of a user namespace becomes one for everywhere") {
  const std::string sets =
      bytes({0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  const std::string id = bytes({0x40, 0x42, 0x0f, 0});
  const std::string second = bytes({1, 0, 0, 2}) + sets;
  CHECK(portable_capability(bytes({1, 0, 0, 3}) + sets + id) == second);
  CHECK(portable_capability(second) == second);
  CHECK(portable_capability("") == "");
  const std::string other = bytes({1, 0, 0, 4}) + sets + id;
  CHECK(portable_capability(other) == other);
}

}  // namespace
}  // namespace cbuild
