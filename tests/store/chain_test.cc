#include "store/chain.h"

#include <catch2/catch.hpp>

using cbuild::store::Chain;
using Ids = std::vector<std::string>;

TEST_CASE("a chain gives back the ids it was made of", "[chain]") {
  for (const Ids& ids : {Ids{}, Ids{"a"}, Ids{"ab", "c", "def"}}) {
    const Chain chain(ids);
    CHECK(chain.ids() == ids);
    CHECK(chain.empty() == ids.empty());
    CHECK(Chain::parse(chain.text()) == chain);
    if (!ids.empty()) CHECK(chain.top() == ids.back());
  }
}

TEST_CASE("a chain is compared with another by whole ids", "[chain]") {
  struct Case {
    Ids chain;
    Ids other;
    Ids want;
  };
  const Case cases[] = {
      {{"a", "b", "c"}, {"a"}, {"b", "c"}},
      {{"a", "b", "c"}, {}, {"a", "b", "c"}},
      {{"a", "b"}, {"a", "b"}, {}},
      {{"a"}, {"a", "b"}, {}},
      {{}, {"a"}, {}},
      {{"a", "bc"}, {"a", "b"}, {"bc"}},   // begins like it
      {{"a", "b"}, {"a", "bc"}, {"b"}},    // is its beginning
      {{"a", "bx"}, {"a", "by"}, {"bx"}},  // parts in the middle of it
      {{"ab"}, {"a"}, {"ab"}},
      {{"a", "b"}, {"ac", "b"}, {"a", "b"}},
      {{"x", "b"}, {"y", "b"}, {"x", "b"}},
  };
  for (const Case& c : cases)
    CHECK(Chain(c.chain).beyond(Chain(c.other)) == c.want);
}

TEST_CASE("chains are put together and shortened", "[chain]") {
  const Chain two = {"a", "b"};
  CHECK(two.with({"c"}) == Chain{"a", "b", "c"});
  CHECK(two.with({}) == two);
  CHECK(Chain().with(two) == two);
  CHECK(two.without_top() == Chain{"a"});
  CHECK(Chain{"a"}.without_top().empty());
  CHECK(Chain().without_top().empty());
}
