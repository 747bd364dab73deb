#include "parser/parse.h"

#include <catch2/catch.hpp>

#include "parser/heredoc.h"

namespace cbuild::parser {
namespace {

std::string_view at(std::string_view text, Span span) {
  return text.substr(span.begin, span.end - span.begin);
}

template <typename T>
const T& node(const ParsedFile& file, std::size_t index) {
  return std::get<T>(file.stages.at(0).instructions.at(index).node);
}

std::vector<Diagnostic> mistakes(std::string_view text) {
  try {
    parse(text);
  } catch (const SyntaxError& e) {
    return e.diagnostics();
  }
  return {};
}

}  // namespace

TEST_CASE("words know where they stand in the file", "[parser]") {
  const std::string text =
      "FROM --platform=linux alpine AS One\n"
      "COPY --from=x \\\n"
      "  # gone\n"
      "  a [\"b\" \\\n"
      "  dest\n"
      "COPY [\"j s\", \"t\"]\n"
      "ENV A=1 \\\n"
      "    B='2'\n"
      "ARG C=d\n";
  const ParsedFile file = parse(text);
  const auto& from = std::get<From>(file.stages[0].from.node);
  CHECK(at(text, from.base.span) == "alpine");
  CHECK(at(text, from.platform->span) == "linux");
  CHECK(at(text, from.name_span) == "One");
  const auto& copy = node<Copy>(file, 0);
  CHECK(at(text, copy.from_span) == "x");
  CHECK(at(text, copy.sources.at(0).span) == "a");
  CHECK(at(text, copy.destination.span) == "dest");
  CHECK(at(text, node<Copy>(file, 1).sources.at(0).span) == "\"j s\"");
  CHECK(at(text, node<Env>(file, 2).pairs.at(1).key.span) == "B");
  CHECK(at(text, node<Env>(file, 2).pairs.at(1).value.span) == "'2'");
  CHECK(at(text, node<Arg>(file, 3).declarations.at(0).value->span) == "d");
  CHECK(at(text, file.stages[0].instructions[0].span) ==
        "COPY --from=x \\\n  # gone\n  a [\"b\" \\\n  dest");
}

TEST_CASE("an instruction keeps its line as written, joined", "[parser]") {
  const ParsedFile file =
      parse("FROM x\n# note\n  run  a \\\n   b \nCOPY <<E /f\nbody\nE\n");
  const Instruction& run = file.stages[0].instructions[0];
  CHECK(run.keyword == "run");
  CHECK(run.original == "run  a    b");
  CHECK(run.comments == std::vector<std::string>{"note"});
  CHECK(file.stages[0].instructions[1].original == "COPY <<E /f");
}

TEST_CASE("a RUN with heredocs gives its shell what BuildKit gives",
          "[parser]") {
  const ParsedFile file = parse(
      "FROM x\n"
      "RUN <<E\nscript\nE\n"
      "RUN <<-E\n\ttabs\nE\n"
      "RUN cat <<A <<-B >f\n1\nA\n\t2\nB\n"
      "RUN plain\n");
  CHECK(is_lone_heredoc(node<Run>(file, 0)));
  CHECK(shell_text(node<Run>(file, 0)) == "script\n");
  CHECK(shell_text(node<Run>(file, 1)) == "tabs\n");
  CHECK_FALSE(is_lone_heredoc(node<Run>(file, 2)));
  CHECK(shell_text(node<Run>(file, 2)) == "cat <<A <<-B >f\n1\nA\n\t2\nB");
  CHECK(shell_text(node<Run>(file, 3)) == "plain");
}

TEST_CASE("all mistakes of a file are told at once, in order", "[parser]") {
  const std::vector<Diagnostic> found =
      mistakes("FROM x\nRUM y\nENV A=1 B\nCOPY a\nRUN fine\nUSER\n");
  REQUIRE(found.size() == 4);
  CHECK(found[0].message == "unknown instruction: RUM (did you mean RUN?)");
  CHECK(found[1].message ==
        "Syntax error - can't find = in \"B\". Must be of the form: "
        "name=value");
  CHECK(found[3].message == "USER requires exactly one argument");
}

TEST_CASE("a wrong FROM does not blame what follows it", "[parser]") {
  CHECK(mistakes("FROM a b\nRUN x\nCOPY a b\n").size() == 1);
  CHECK(mistakes("RUN x\nCOPY a b\nUSER c\n").size() == 1);
}

TEST_CASE("a mistake is shown with its place, line and caret", "[parser]") {
  const std::string text = "FROM x\nCOPY --form=build /a /b\n";
  try {
    parse(text);
    FAIL("accepted");
  } catch (const SyntaxError& e) {
    CHECK(std::string(e.what()) == "unknown flag: --form (did you mean from?)");
    CHECK(std::string(e.located("Dockerfile", text).what()) ==
          "Dockerfile:2:6: unknown flag: --form (did you mean from?)\n"
          "   2 | COPY --form=build /a /b\n"
          "     |      ^");
  }
}

TEST_CASE("a long place is shown by its first five lines", "[parser]") {
  const std::string text = "1\n2\n3\n4\n5\n6\n";
  CHECK(render("f", text, {0, 12}, "m") ==
        "f:1:1: m\n   1 | 1\n     | ^\n   2 | 2\n   3 | 3\n   4 | 4\n"
        "   5 | 5");
  CHECK(render("f", text, {4, 5}, "m") == "f:3:1: m\n   3 | 3\n     | ^");
  CHECK(render("f", "", {0, 0}, "m") == "f:1:1: m\n   1 | \n     | ^");
  CHECK(render("f", "a", {99, 120}, "m") == "f:1:2: m\n   1 | a\n     |  ^");
}

TEST_CASE("an ONBUILD text is read again as one instruction", "[parser]") {
  CHECK(std::get<Run>(parse_onbuild("RUN a").node).command.argv ==
        std::vector<std::string>{"a"});
  const Instruction copy = parse_onbuild("COPY <<E /f\nx\nE");
  CHECK(std::get<Copy>(copy.node).heredocs.at(0).content == "x\n");
  // The escape character is always a backslash.
  CHECK(std::get<Workdir>(parse_onbuild("WORKDIR c:`x").node).path.raw ==
        "c:`x");
  CHECK_THROWS_WITH(parse_onbuild("RUN a\nRUN b"),
                    "onbuild trigger should be a single expression");
  CHECK_THROWS_WITH(parse_onbuild("# x"), "file with no instructions");
  CHECK_THROWS_WITH(parse_onbuild("BOGUS"), "unknown instruction: BOGUS");
  CHECK_THROWS_AS(parse_onbuild("FROM x"), SyntaxError);
}

TEST_CASE("a line may have 65535 bytes and no more", "[parser]") {
  const auto line = [](std::size_t size) {
    std::string text = "RUN ";
    text.resize(size, 'x');
    return "FROM x\n" + text + "\n";
  };
  const ParsedFile file = parse(line(65535));
  CHECK(node<Run>(file, 0).command.argv[0].size() == 65531);
  REQUIRE(mistakes(line(65536)).size() == 1);
  CHECK(mistakes(line(65536))[0].message ==
        "dockerfile line greater than max allowed size of 65535");
}

TEST_CASE("nested JSON of any depth is no reason to crash", "[parser]") {
  const std::string open(60'000, '[');
  CHECK_NOTHROW(parse("FROM x\nRUN " + open + "\n"));
  CHECK_NOTHROW(parse("FROM x\nRUN [" + std::string(30'000, '{') + "]\n"));
  CHECK(mistakes("FROM x\nRUN [[[[]]]]\n").size() == 1);
}

}  // namespace cbuild::parser
