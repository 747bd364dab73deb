#include "runtime/user_namespace.h"

#include <catch2/catch.hpp>

#include "runtime/isolation.h"

namespace cbuild::runtime {

TEST_CASE("subordinate ids: lines of the user, by name or number") {
  const auto extents = subordinate_ids(
      "other:100000:65536\n"
      "me:200000:10\n"
      "# me:1:1\n"
      "1001:300000:5\n"
      "me:broken:5\n"
      "me:400000:0\n"
      "me:4294967295:10\n",
      "me", 1001);
  REQUIRE(extents.size() == 2);
  CHECK(extents[0].inside == 1);
  CHECK(extents[0].outside == 200000);
  CHECK(extents[0].count == 10);
  CHECK(extents[1].inside == 11);
  CHECK(extents[1].outside == 300000);
  CHECK(extents[1].count == 5);
}

TEST_CASE("subordinate ids: none for a user without a line") {
  CHECK(subordinate_ids("other:100000:65536\n", "me", 1001).empty());
  // A number without a name must not match an empty name.
  CHECK(subordinate_ids(":100000:65536\n", "", 1001).empty());
}

TEST_CASE("isolation: names of rungs") {
  using Rung = IsolationChoice::Rung;
  CHECK(parse_isolation("")->rung == Rung::automatic);
  CHECK(parse_isolation("default")->rung == Rung::automatic);
  CHECK(parse_isolation("chroot")->rung == Rung::chroot);
  CHECK_FALSE(parse_isolation("userns")->view);
  const auto choice = parse_isolation("userns:copy");
  CHECK(choice->rung == Rung::userns);
  CHECK(choice->view == ViewKind::copy);
  CHECK(parse_isolation(":fuse")->rung == Rung::automatic);
  CHECK_FALSE(parse_isolation("userns:"));
  CHECK_FALSE(parse_isolation("process"));
}

TEST_CASE("an id is mapped where an extent has it") {
  const std::vector<IdExtent> extents = {{0, 1000, 1}, {1, 100000, 10}};
  CHECK(is_mapped(extents, 0));
  CHECK(is_mapped(extents, 10));
  CHECK_FALSE(is_mapped(extents, 11));
}

}  // namespace cbuild::runtime
