#include "parser/ignore.h"

#include <catch2/catch.hpp>

namespace cbuild::parser {
namespace {

IgnoreMatcher matcher(const char* file) {
  return IgnoreMatcher(read_ignore_file(file));
}

}  // namespace

TEST_CASE("an ignore file is read line by line", "[ignore]") {
  CHECK(read_ignore_file("\xef\xbb\xbf# no\n\n  a/./b/ \n/c\r\n! /d/../e\n"
                         " # not in column 0\n/\n") ==
        std::vector<std::string>{"a/b", "c", "!e", "# not in column 0", "/"});
  CHECK(read_ignore_file("").empty());
}

TEST_CASE("patterns select paths", "[ignore]") {
  struct Case {
    const char* file;
    const char* path;
    bool ignored;
  };
  const Case cases[] = {
      {"a", "a", true},
      {"a", "a/b/c", true},  // all below a match
      {"a", "ab", false},
      {"a", "b/a", false},
      {"*.md", "x.md", true},
      {"*.md", "d/x.md", false},
      {"**/*.md", "d/e/x.md", true},
      {"**/*.md", "x.md", true},
      {"**/log", "my/log/x", true},
      {"**/log", "blog", false},
      {"d/**", "d/x/y", true},
      {"d/**", "d", false},
      {"d/**/z", "d/z", true},
      {"d/**/z", "d/a/b/z", true},
      {"d/**/z", "d/az", false},
      {"**", "anything", true},
      {"?", "x", true},
      {"?", "/", false},
      {"[a-c]x", "bx", true},
      {"[^a-c]x", "bx", false},
      {"a\\*b", "a*b", true},
      {"a\\*b", "axb", false},
      {"a.b", "axb", false},
      {"a+(b)$", "a+(b)$", true},
      {"x*y", "xa/by", false},
      // ^ and | are plain where there is no wildcard, else as in an expression.
      {"^a", "^a", true},
      {"^a", "a", false},
      {"^a*", "abc", true},
      {"^a*", "^abc", false},
      {"x^a*", "x^abc", false},
      {"[^x]^a*", "b^a", false},
      {"p|q", "p|q", true},
      {"p|q", "p", false},
      {"p|q*", "p", true},
      {"p|q*", "p/any", true},  // begins with p
      {"p|q*", "px", true},
      {"p|q*", "my.qz", true},  // a q, and what is behind it has no slash
      {"p|q*", "q/x/r", true},  // below q
      {"p|q*", "xp", false},
      {"p*|^q|r", "q/x", true},
      {"p*|^q|r", "xq", false},
      {"p*|^q|r", "x/r", true},
      // The last match decides.
      {"d\n!d/keep", "d/keep", false},
      {"d\n!d/keep", "d/other", true},
      {"d\n!d/keep\nd/keep/x", "d/keep/x", true},
      {"*\n!*.txt", "a.txt", false},
      {"!a\na", "a", true},
      {"caf\u00e9?", "caf\u00e9s", true},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.file << " | " << c.path) {
      CHECK(matcher(c.file).matches(c.path) == c.ignored);
    }
  }
}

TEST_CASE("malformed patterns are refused", "[ignore]") {
  CHECK_THROWS_WITH(matcher("!"), "illegal exclusion pattern: \"!\"");
  for (const char* bad : {"[", "[]a]", "a[", "[a-]", "x\\", "[b-a]"})
    CHECK_THROWS_WITH(matcher(bad), "syntax error in pattern");
}

TEST_CASE("a walk may skip a directory only if nothing in it is kept",
          "[ignore]") {
  struct Case {
    const char* file;
    const char* directory;
    bool prune;
  };
  const Case cases[] = {
      {"node_modules", "node_modules", true},
      {"node_modules", "src", false},
      {"node_modules\n!*.md", "node_modules", true},
      {"*\n!src/keep", "src", false},
      {"*\n!src/keep", "lib", true},
      {"*\n!src/keep", "src/other", true},
      {"*\n!**/keep", "lib", false},
      {"*\n!src/**/keep", "lib", true},
      {"*\n!*/keep", "lib", false},
      {"*\n![a/]b", "lib", false},
      {"d\n!d", "d", false},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.file << " | " << c.directory) {
      CHECK(matcher(c.file).can_prune(c.directory) == c.prune);
    }
  }
}

TEST_CASE("a pattern that may match anywhere lets every directory be walked",
          "[ignore]") {
  CHECK_FALSE(matcher("*\n!x|y*").can_prune("d"));
  CHECK(matcher("*\n!^x/y").can_prune("d"));
}

TEST_CASE("the deciding pattern can be named", "[ignore]") {
  const IgnoreMatcher some(std::vector<std::string>{"a", " ", "!a/b", "a/b/c"});
  CHECK(some.has_exclusions());
  CHECK(some.deciding_pattern("a/x") == 0);
  CHECK(some.deciding_pattern("a/b") == 2);
  CHECK(some.deciding_pattern("a/b/c/d") == 3);
  CHECK(some.deciding_pattern("b") == -1);
  CHECK(IgnoreMatcher().empty());
  CHECK_FALSE(IgnoreMatcher().matches("a"));
}

TEST_CASE("glob_match is filepath.Match", "[ignore]") {
  struct Case {
    const char* pattern;
    const char* path;
    bool matches;
  };
  const Case cases[] = {
      {"abc", "abc", true},
      {"*", "abc", true},
      {"*", "a/c", false},
      {"*c", "abc", true},
      {"a*b*c*d", "axbxcxd", true},
      {"a*b?c*x", "abxbbxdbxebxczzx", true},
      {"a*b?c*x", "abxbbxdbxebxczzy", false},
      {"a*/b", "a/c/b", false},
      {"ab[e-g]", "abf", true},
      {"ab[^e-g]", "abf", false},
      {"a\\*b", "a*b", true},
      {"a?b", "a\u263ab", true},
      {"a[^a]b", "a\u263ab", true},
      {"[\\]a]", "]", true},
      {"[x\\-]", "-", true},
      {"*x", "xxx", true},
      {"", "", true},
      {"a", "", false},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.pattern << " | " << c.path) {
      CHECK(glob_match(c.pattern, c.path) == c.matches);
    }
  }
  // Also when the path has failed before.
  for (const char* bad : {"[]a]", "[-]", "[x-]", "[-x]", "\\", "[a-b-c]", "[",
                          "[^", "[^bc", "a[", "a[x"})
    CHECK_THROWS_WITH(glob_match(bad, "zz"), "syntax error in pattern");
  CHECK(has_glob("a*") == true);
  CHECK(has_glob("a/b.c") == false);
}

TEST_CASE("patterns that would make a backtracker hang are matched fast",
          "[ignore]") {
  const std::string path(5'000, 'a');
  CHECK_FALSE(matcher("**/*a*a*a*a*a*a*a*a*b").matches(path));
  CHECK_FALSE(glob_match("*a*a*a*a*b", path));
}

}  // namespace cbuild::parser
