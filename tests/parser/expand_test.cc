#include "parser/expand.h"

#include <catch2/catch.hpp>

namespace cbuild::parser {
namespace {

std::optional<std::string> variables(std::string_view name) {
  if (name == "A") return "alpha";
  if (name == "EMPTY") return "";
  if (name == "TWO") return "one two";
  if (name == "PATHS") return "/usr/local/bin";
  if (name == "LINES") return "a\nb";
  return std::nullopt;
}

const Lookup kLookup = variables;

}  // namespace

TEST_CASE("variables are replaced and quotes removed", "[expand]") {
  struct Case {
    const char* word;
    const char* want;
  };
  const Case cases[] = {
      {"$A ${A}x $Ax", "alpha alphax "},
      {"'$A' \"$A\" \\$A", "$A alpha $A"},
      {"$1x $$ $? a$", "x   a$"},
      {"${NOPE:-d} ${NOPE-d} ${EMPTY:-d} ${EMPTY-d}", "d d d "},
      {"${A:+y} ${EMPTY:+y} ${EMPTY+y} ${NOPE+y}", "y  y "},
      {"${NOPE:-${A:+${EMPTY:-deep}}}", "deep"},
      {"${A:?no} ${EMPTY?no}", "alpha "},
      {"${PATHS#*/} ${PATHS##*/}", "usr/local/bin bin"},
      {"${PATHS%/*} ${PATHS%%/*}", "/usr/local "},
      {"${PATHS/\\//:} ${PATHS//\\//:}", ":usr/local/bin :usr:local:bin"},
      {"${A/l*/X} ${A//?/z}", "aX zzzzz"},
      {"${A//*/X} ${EMPTY//*/X}", "X X"},
      {"${A//q/X} ${A/al?/}", "alpha ha"},
      {"${LINES#*b} ${LINES//?/x}", "a\nb x\nx"},  // '*' stays in its line
      {"a\\ b \"a\\b\\\"\\$\"", "a b a\\b\"$"},
      // In // a '$' is Go's: $0 is the match, a name a group that is not there.
      {"${PATHS//o/$}", "/usr/l$cal/bin"},
      {"${A//p/<\\$0>}", "al<\\p>ha"},
      {"caf\xc3\xa9 $\xc3\xa9 \xff", "caf\xc3\xa9  \xff"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.word) { CHECK(expand(c.word, kLookup).text == c.want); }
  }
}

TEST_CASE("what cannot be expanded is told in BuildKit's words", "[expand]") {
  struct Case {
    const char* word;
    const char* want;
  };
  const Case cases[] = {
      {"${A", "syntax error: missing '}'"},
      {"${", "syntax error: missing '}'"},
      {"${A:", "syntax error: missing '}'"},
      {"${A:-x", "syntax error: missing '}'"},
      {"${A:-${A}", "syntax error: missing '}'"},
      {"${}", "syntax error: bad substitution"},
      {"${{A}", "syntax error: bad substitution"},
      {"${:x}", "syntax error: bad substitution"},
      {"${A/x}", "syntax error: missing '/' in ${}"},
      {"${A/x/y", "syntax error: missing '}'"},
      {"${A:#x}", "unsupported modifier (:#) in substitution"},
      {"${A:=x}", "unsupported modifier (:=) in substitution"},
      {"${A^}", "unsupported modifier (^) in substitution"},
      {"${NOPE:?set it}", "NOPE: set it"},
      {"${NOPE?}", "NOPE: is not allowed to be unset"},
      {"${EMPTY:?}", "EMPTY: is not allowed to be empty"},
      {"${A#\\a}",
       "invalid pattern (\\a) in substitution: invalid escape '\\a'"},
      {"it's",
       "unexpected end of statement while looking for matching single-quote"},
      {"\"x",
       "unexpected end of statement while looking for matching double-quote"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.word) {
      CHECK_THROWS_WITH(expand(c.word, kLookup), c.want);
    }
  }
}

TEST_CASE("options keep quotes, escapes or unset references", "[expand]") {
  ExpandOptions raw{.raw_quotes = true, .skip_unset = true};
  CHECK(expand("'a' \"$A\" $NOPE ${NOPE:-x}", kLookup, raw).text ==
        "'a' \"alpha\" $NOPE ${NOPE:-x}");
  ExpandOptions escapes{.raw_escapes = true};
  CHECK(expand("a\\ b", kLookup, escapes).text == "a\\ b");
  ExpandOptions heredoc{.skip_process_quotes = true};
  CHECK(expand("it's \"$A\" \\$A", kLookup, heredoc).text ==
        "it's \"alpha\" $A");
  ExpandOptions backtick{.escape = '`'};
  CHECK(expand("c:\\x `$A", kLookup, backtick).text == "c:\\x $A");
}

TEST_CASE("expansion says which variables it used and missed", "[expand]") {
  const Expansion expansion = expand("$A ${NOPE:-$B} ${A}", kLookup);
  CHECK(expansion.used == std::set<std::string>{"A"});
  CHECK(expansion.unset == std::set<std::string>{"B", "NOPE"});
}

TEST_CASE("a text is split into words after expansion", "[expand]") {
  using Words = std::vector<std::string>;
  CHECK(expand_words("$TWO three", kLookup) == Words{"one", "two", "three"});
  CHECK(expand_words("\"$TWO\" 'a b' c\\ d", kLookup) ==
        Words{"one two", "a b", "c d"});
  CHECK(expand_words("  \t ", kLookup).empty());
  CHECK(expand_words("x${NOPE:-a b}y", kLookup) == Words{"xa", "by"});
  CHECK(expand_words("a\u00a0b", kLookup) == Words{"a", "b"});
}

TEST_CASE("deep nesting is refused, not followed off the stack", "[expand]") {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "${x-";
  CHECK_THROWS_AS(expand(deep, kLookup), ExpandError);
  std::string quoted;
  for (int i = 0; i < 100'000; ++i) quoted += "\"${x-";
  CHECK_THROWS_AS(expand(quoted, kLookup), ExpandError);
}

TEST_CASE("patterns that would make a backtracker hang are matched",
          "[expand]") {
  const std::string text(20'000, 'a');
  const Lookup lookup = [&](std::string_view) { return text; };
  CHECK(expand("${X##*a*a*a*a*a*a*a*a*b}", lookup).text == text);
  CHECK(expand("${X//*a*a*a*a*b/-}", lookup).text == text);
}

TEST_CASE("substitutions that multiply end before the memory does",
          "[expand]") {
  const std::string text(1'000, 'a');
  const Lookup lookup = [&](std::string_view) { return text; };
  const std::string squared = expand("${X//a/$X}", lookup).text;
  CHECK(squared == std::string(1'000'000, 'a'));
  for (const char* word :
       {"${X//a/${X//a/${X//a/$X}}}}", "\"${X//a/${X//a/${X//a/$X}}}\"",
        "${X//*/${X//a/${X//a/'$$$$0'}}}"})
    CHECK_THROWS_WITH(expand(word, lookup),
                      "substitutions make more than 16777216 bytes");
  CHECK_THROWS_AS(expand("$X$X", lookup, {.max_made = 1'999}), ExpandError);
  CHECK(expand("$X$X", lookup, {.max_made = 2'000}).text.size() == 2'000);
}

}  // namespace cbuild::parser
