#include "cli/options.h"

#include <catch2/catch.hpp>

namespace cbuild::cli {
namespace {

constexpr Flag kFlags[] = {
    {"", "-t,--tag", Takes::many, "NAME", ""},
    {"", "-f,--file", Takes::one, "FILE", ""},
    {"", "-q,--quiet", Takes::nothing, "", ""},
    {"", "--rm", Takes::nothing, "", ""},
    {"", "--target", Takes::one, "STAGE", ""},
    {"", "--expect", Takes::optional, "=STAGE", ""},
};
constexpr RefusedFlag kRefused[] = {
    {"--ssh", Takes::many, "no agent"},
    {"--sbom", Takes::one, "no attestations", "false"},
    {"--squash", Takes::nothing, "layers stay"},
};
constexpr FlagTable kTable = {{kFlags}, kRefused};

std::string failure(const std::vector<std::string>& words) {
  try {
    parse(kTable, words);
  } catch (const UsageError& e) {
    return e.what();
  }
  return "accepted";
}

using Words = std::vector<std::string>;

TEST_CASE("a value may follow its flag in every way docker allows", "[cli]") {
  for (const Words& words : {Words{"--file", "x"}, Words{"--file=x"},
                             Words{"-f", "x"}, Words{"-fx"}}) {
    CAPTURE(words);
    CHECK(parse(kTable, words).value("file") == "x");
  }
}

TEST_CASE("words keep their order wherever flags stand", "[cli]") {
  const Arguments args =
      parse(kTable, {"one", "-t", "a", "two", "--rm", "three", "-q"});
  CHECK(args.words() == Words{"one", "two", "three"});
  CHECK(args.values("tag") == Words{"a"});
  CHECK(args.has("rm"));
}

TEST_CASE("a repeated flag keeps all its values; the last one counts for one",
          "[cli]") {
  const Arguments args =
      parse(kTable, {"-t", "a", "-t", "b", "-f", "x", "-f", "y"});
  CHECK(args.values("tag") == Words{"a", "b"});
  CHECK(args.value("file") == "y");
}

TEST_CASE("values are taken as they are", "[cli]") {
  struct Case {
    Words words;
    std::string want;
  };
  const Case cases[] = {
      {{"-f", "-"}, "-"},              // standard input
      {{"-f", "--quiet"}, "--quiet"},  // the next word, whatever it is
      {{"--file="}, ""},
      {{"--file=", "x"}, ""},
      {{"--file=a=b"}, "a=b"},
      {{"-f", "[a,b]"}, "[a,b]"},
      {{"-f", ""}, ""},
      {{"-f", "no"}, "no"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.words);
    const Arguments args = parse(kTable, c.words);
    CHECK(args.has("file"));
    CHECK(args.value("file", "unset") == c.want);
  }
}

TEST_CASE("a switch takes a value only after =", "[cli]") {
  CHECK(parse(kTable, {"--rm", "false"}).has("rm"));
  CHECK(parse(kTable, {"--rm", "false"}).words() == Words{"false"});
  CHECK_FALSE(parse(kTable, {"--rm=false"}).has("rm"));
  CHECK(parse(kTable, {"--rm=false"}).switched_off("rm"));
  CHECK(parse(kTable, {"--rm=true"}).has("rm"));
  CHECK_FALSE(parse(kTable, {}).switched_off("rm"));
  CHECK(failure({"--rm=maybe"}) ==
        "invalid value \"maybe\" for --rm: want true or false");
}

TEST_CASE("a value that may be left out comes only after =", "[cli]") {
  const Arguments bare = parse(kTable, {"--expect", "word"});
  CHECK(bare.values("expect") == Words{""});
  CHECK(bare.words() == Words{"word"});
  CHECK(parse(kTable, {"--expect=a", "--expect=b"}).values("expect") ==
        Words{"a", "b"});
  CHECK_FALSE(parse(kTable, {"word"}).has("expect"));
}

TEST_CASE("after -- everything is a word", "[cli]") {
  CHECK(parse(kTable, {"-q", "--", "-t", "--nope"}).words() ==
        Words{"-t", "--nope"});
}

TEST_CASE("a dash alone is a word", "[cli]") {
  CHECK(parse(kTable, {"-q", "-"}).words() == Words{"-"});
}

TEST_CASE("what cannot be used is refused with a reason", "[cli]") {
  struct Case {
    Words words;
    std::string want;
  };
  const Case cases[] = {
      {{"--tagg", "x"}, "unknown flag: --tagg (did you mean --tag?)"},
      {{"--quite"}, "unknown flag: --quite (did you mean --quiet?)"},
      {{"--zzzz=1"}, "unknown flag: --zzzz"},
      {{"-z"}, "unknown shorthand flag: -z"},
      {{"--ssh", "default"}, "--ssh is not supported yet: no agent"},
      {{"--squash"}, "--squash is not supported yet: layers stay"},
      {{"--sbom=true"}, "--sbom is not supported yet: no attestations"},
      // Asks for what happens anyway.
      {{"--sbom=false"}, "accepted"},
      {{"--squash=false"}, "accepted"},
      {{"-f"}, "flag needs a value: --file"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.words);
    CHECK(failure(c.words) == c.want);
  }
}

}  // namespace
}  // namespace cbuild::cli
