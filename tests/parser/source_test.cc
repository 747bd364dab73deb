#include <catch2/catch.hpp>

#include "parser/line_table.h"
#include "parser/parse.h"

namespace cbuild::parser {

TEST_CASE("a line table tells what position_of tells", "[parser]") {
  for (const std::string text : {"", "\n", "a", "ab\n\ncd\n", "\n\nx"})
    for (std::uint32_t offset = 0; offset < 10; ++offset) {
      INFO("'" << text << "' at " << offset);
      const Position one = position_of(text, offset);
      const Position other = LineTable(text).position(offset);
      CHECK(one.line == other.line);
      CHECK(one.column == other.column);
    }
}

TEST_CASE("the longest line has 65535 bytes", "[parser]") {
  const auto file = [](std::size_t length) {
    std::string line = "RUN ";
    line.resize(length, 'x');
    return "FROM a\n" + line + "\n";
  };
  CHECK(parse(file(65535)).stages.at(0).instructions.size() == 1);
  try {
    parse(file(65536));
    FAIL("accepted");
  } catch (const SyntaxError& e) {
    CHECK(e.diagnostics().at(0).message ==
          "dockerfile line greater than max allowed size of 65535");
    CHECK(position_of(file(65536), e.diagnostics().at(0).span.begin).line == 2);
  }
}

TEST_CASE("a line of a heredoc may not be longer either", "[parser]") {
  const std::string text =
      "FROM a\nRUN <<E\n" + std::string(65536, 'x') + "\nE\n";
  CHECK_THROWS_WITH(
      parse(text),
      Catch::Contains("line greater than max allowed size of 65535"));
}

}  // namespace cbuild::parser
