#include "store/read_ahead.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "base/error.h"

namespace cbuild::store {
namespace {

const std::string kPart(300'000, 'x');

// `parts` times a number and kPart.
ByteSource source_of(int parts, std::string& all) {
  auto rest = std::make_shared<std::string>();
  for (int i = 0; i < parts; ++i) *rest += std::to_string(i) + kPart;
  all = *rest;
  return [rest](char* buffer, std::size_t size) {
    const std::size_t n = rest->copy(buffer, std::min<std::size_t>(size, 7777));
    rest->erase(0, n);
    return n;
  };
}

TEST_CASE("what is read ahead arrives whole and in order", "[ahead]") {
  const int parts = GENERATE(0, 1, 10);
  std::string all;
  std::string seen;
  std::string got;
  ReadAhead ahead(watched(source_of(parts, all),
                          [&](std::string_view data) { seen += data; }));
  SECTION("by blocks") {
    for (auto data = ahead.next(); !data.empty(); data = ahead.next())
      got += data;
  }
  SECTION("by bytes") {
    std::string buffer(100'000, ' ');
    while (const std::size_t n = ahead.read(buffer.data(), buffer.size()))
      got += buffer.substr(0, n);
  }
  CHECK(got == all);
  ahead.finish();
  CHECK(seen == all);
}

TEST_CASE("a source that fails ahead is told of after what came before",
          "[ahead]") {
  int calls = 0;
  ReadAhead ahead([&](char* buffer, std::size_t) -> std::size_t {
    if (++calls == 3) throw Error("no more");
    *buffer = 'x';
    return 1;
  });
  CHECK_THROWS_WITH(ahead.finish(), "no more");
}

TEST_CASE("reading ahead can be abandoned, or finished unread", "[ahead]") {
  std::string all;
  { ReadAhead abandoned(source_of(20, all)); }
  std::size_t seen = 0;
  ReadAhead ahead(watched(source_of(20, all),
                          [&](std::string_view data) { seen += data.size(); }));
  ahead.finish();
  CHECK(seen == all.size());
}

}  // namespace
}  // namespace cbuild::store
