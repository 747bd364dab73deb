#include "cli/prune_filter.h"

#include <catch2/catch.hpp>

#include "base/error.h"

using namespace cbuild;
using namespace cbuild::cli;

TEST_CASE("filters of prune: what they let through", "[cli][prune]") {
  const store::CacheItem step{.type = "regular",
                              .id = "0123abcd",
                              .description = "[build 2/5] RUN make",
                              .parent = "ffff",
                              .shared = true};
  const store::CacheItem cache{.type = "exec.cachemount",
                               .id = "9876",
                               .description = "cached mount /root/.npm",
                               .changes = true};
  struct Case {
    std::vector<std::string> filters;
    bool step;
    bool cache;
  };
  const Case cases[] = {
      {{"type=regular"}, true, false},
      {{"type!=regular"}, false, true},
      {{"type~=^exec"}, false, true},
      {{"id=23ab"}, true, false},  // a regular expression, as docker has it
      {{"id!=9876"}, true, false},
      {{"description~=RUN (make|test)"}, true, false},
      {{"description=cached mount /root/.npm"}, false, true},
      {{"parents=ffff"}, true, false},
      {{"shared"}, true, false},
      {{"private"}, false, true},
      {{"mutable"}, false, true},
      {{"immutable"}, true, false},
      {{"inuse"}, false, false},
      {{"shared", "type=exec.cachemount"}, false, false},  // both must hold
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.filters[0]) {
      const PruneFilter filter = read_prune_filters(c.filters);
      REQUIRE(filter.only);
      CHECK(filter.only(step) == c.step);
      CHECK(filter.only(cache) == c.cache);
    }
  }
  const PruneFilter old = read_prune_filters({"unused-for=2h"});
  CHECK(old.unused_for == 7200);
  CHECK_FALSE(old.only);
}

TEST_CASE("filters of prune: refused", "[cli][prune]") {
  for (const char* filter : {"label=a", "until", "until=yesterday", "type=step",
                             "type", "shared=true", "id~=("}) {
    CHECK_THROWS_AS(read_prune_filters({filter}), UsageError);
  }
  CHECK_THROWS_WITH(read_prune_filters({"sharde"}),
                    Catch::Contains("did you mean shared?"));
}
