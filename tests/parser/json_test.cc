#include <catch2/catch.hpp>

#include "parser/grammar.h"

namespace cbuild::parser {

TEST_CASE("a JSON element's place counts the blanks in front", "[parser]") {
  const std::string text = " \t[ \"a\", \"b c\"] ";
  const auto array = json_array(text);
  REQUIRE(array);
  REQUIRE(array->words);
  REQUIRE(array->words->size() == 2);
  const Range range = array->words->at(1).range;
  CHECK(text.substr(range.begin, range.end - range.begin) == "\"b c\"");
  CHECK(array->words->at(1).text == "b c");
}

}  // namespace cbuild::parser
