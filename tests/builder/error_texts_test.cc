// The mistakes that people make most, each with BuildKit's words (peers.md
// 1.12; the number is its row there), a place, the line and a caret.
#include <catch2/catch.hpp>

#include "tests/builder/fakes.h"

namespace cbuild::builder {
namespace {

struct Row {
  int number;
  int line;  // of the Dockerfile; 0: the error has no place in it
  const char* dockerfile;
  const char* text;
};

const Row kRows[] = {
    {1, 1, "", "the Dockerfile cannot be empty"},
    {2, 1, "# nothing\n", "file with no instructions"},
    {3, 1, "ARG A=1\n", "dockerfile contains no stages to build"},
    {4, 1, "RUN true\n", "no build stage in current context"},
    {5, 2, "FROM scratch\nFNTRYPOINT x\n",
     "unknown instruction: FNTRYPOINT (did you mean ENTRYPOINT?)"},
    {6, 1, "FROM a b\n", "FROM requires either one or three arguments"},
    {7, 1, "FROM scratch AS 1x\n",
     "invalid name for build stage: \"1x\", name can't start with a number or "
     "contain symbols"},
    {8, 1, "FROM ${X}\n", "base name (${X}) should not be blank"},
    {9, 1, "FROM A:b:c\n",
     "failed to parse stage name \"A:b:c\": invalid reference format"},
    {10, 1, "FROM --platform=$X scratch\n",
     "empty platform value from expression $X"},
    {10, 1, "FROM --platform=a/b/c/d scratch\n",
     "failed to parse platform a/b/c/d: \"a/b/c/d\": cannot parse platform "
     "specifier: invalid argument"},
    {11, 1, "FROM alpin\n",
     "alpin: failed to resolve source metadata for "
     "docker.io/library/alpin:latest: "},
    {11, 1, "FROM alpin\n", "(did you mean alpine?)"},
    {13, 2, "FROM scratch\nCOPY --from=7 a /\n", "invalid stage index 7"},
    {14, 2,
     "FROM scratch AS a\nCOPY --from=b a /\nFROM scratch AS b\n"
     "FROM a\n",
     "cannot copy from stage \"b\", it needs to be defined before current "
     "stage \"a\""},
    {15, 2,
     "FROM scratch AS a\nRUN --mount=from=b,target=/x true\n"
     "FROM scratch AS b\nFROM a\n",
     "cannot mount from stage \"b\" to \"/x\", stage needs to be defined "
     "before "
     "current command"},
    {16, 2, "FROM scratch AS a\nCOPY --from=a a /\n",
     "circular dependency detected on stage: a"},
    {17, 2, "FROM scratch\nCOPY --from=$X a /\n",
     "variable expansion is not supported for --from, define a new stage with "
     "FROM using ARG from global scope as a workaround"},
    {18, 2, "FROM scratch\nRUN --mount=from=$X,target=/x true\n",
     "'from' doesn't support variable expansion, define alias stage instead"},
    {19, 2, "FROM scratch\nCOPY --form=x a /\n",
     "unknown flag: --form (did you mean from?)"},
    {19, 2, "FROM scratch\nEXPOSE \"\n",
     "failed to process \"\\\"\": unexpected end of statement while looking "
     "for "
     "matching double-quote"},
    {20, 2, "FROM scratch\nCOPY --chown=1 --chown=2 a /\n",
     "duplicate flag specified: --chown"},
    {21, 2, "FROM scratch\nCOPY --from a /\n",
     "missing a value on flag: --from"},
    {22, 2, "FROM scratch\nCOPY --link=x a /\n",
     "expecting boolean value for flag --link, not: x"},
    {23, 2, "FROM scratch\nCOPY a\n",
     "COPY requires at least two arguments, but only one was provided. "
     "Destination could not be determined"},
    {24, 2, "FROM scratch\nCOPY a <<E\nE\n",
     "COPY cannot accept a heredoc as a destination"},
    {25, 2, "FROM scratch\nRUN <<E\ntrue\n", "unterminated heredoc"},
    {26, 2, "FROM scratch\nCOPY foo /\n", "\"/foo\": not found"},
    {26, 2, "FROM scratch\nCOPY foo /\n",
     "failed to compute cache key: failed to calculate checksum of ref"},
    {26, 2, "FROM scratch\nCOPY <<a/b /o/\nx\na/b\n",
     "open /a/b: no such file or directory"},
    {26, 2, "FROM scratch\nCOPY <<.. /o/\nx\n..\n", "open /: is a directory"},
    {26, 2, "FROM scratch\nCOPY --chown=app a /\n", "invalid user index: -1"},
    {26, 3, "FROM scratch\nUSER app\nWORKDIR /w\n", "invalid user index: -1"},
    {27, 2, "FROM scratch\nCOPY http://example.org/x /\n",
     "source can't be a URL for COPY"},
    {27, 2, "FROM scratch\nCOPY git@example.org:x.git /\n",
     "source can't be a git ref for COPY"},
    {28, 2, "FROM scratch\nCOPY --link --chown=app a /\n",
     "invalid user index: -1"},
    {28, 2, "FROM scratch\nCOPY --link --chown=7:2147483648 a /\n",
     "invalid user index: -1"},
    {28, 2, "FROM scratch\nCOPY --chmod=64a a /\n",
     "invalid chmod parameter: '64a'. it should be octal string and between 0 "
     "and 07777"},
    {29, 2, "FROM scratch\nADD --checksum=sha256:0 a b /\n",
     "checksum can't be specified for multiple sources"},
    {29, 2, "FROM scratch\nADD --checksum=sha256:0 a /\n",
     "checksum requires HTTP(S) or Git sources"},
    {31, 2, "FROM scratch\nENV A\n", "ENV must have two arguments"},
    {31, 2, "FROM scratch\nENV a=b c\n",
     "Syntax error - can't find = in \"c\". Must be of the form: name=value"},
    {31, 2, "FROM scratch\nENV =b\n", "ENV names can not be blank"},
    {32, 2, "FROM scratch\nENV\n", "ENV requires at least one argument"},
    {32, 2, "FROM scratch\nARG\n", "ARG requires at least one argument"},
    {32, 2, "FROM scratch\nLABEL\n", "LABEL requires at least one argument"},
    {32, 2, "FROM scratch\nEXPOSE\n", "EXPOSE requires at least one argument"},
    {32, 2, "FROM scratch\nVOLUME\n", "VOLUME requires at least one argument"},
    {32, 2, "FROM scratch\nHEALTHCHECK\n",
     "HEALTHCHECK requires at least one argument"},
    {32, 2, "FROM scratch\nONBUILD\n",
     "ONBUILD requires at least one argument"},
    {32, 2, "FROM scratch\nSHELL []\n", "SHELL requires at least one argument"},
    {33, 2, "FROM scratch\nWORKDIR\n", "WORKDIR requires exactly one argument"},
    {33, 2, "FROM scratch\nUSER\n", "USER requires exactly one argument"},
    {33, 2, "FROM scratch\nSTOPSIGNAL\n",
     "STOPSIGNAL requires exactly one argument"},
    {33, 2, "FROM scratch\nMAINTAINER\n",
     "MAINTAINER requires exactly one argument"},
    {34, 2, "FROM scratch\nARG =x\n", "ARG names can not be blank"},
    {35, 2, "FROM scratch\nCMD [\"a\", 1]\n",
     "when using JSON array syntax, arrays must be comprised of strings only"},
    {36, 2, "FROM scratch\nSHELL bash\n",
     "SHELL requires the arguments to be in JSON form"},
    {37, 2, "FROM scratch\nVOLUME [\"\"]\n",
     "VOLUME specified can not be an empty string"},
    {38, 2, "FROM scratch\nSTOPSIGNAL FOO\n", "invalid signal: FOO"},
    {39, 2, "FROM scratch\nEXPOSE abc\n", "invalid containerPort: abc"},
    {39, 2, "FROM scratch\nEXPOSE 80/x\n",
     "invalid port: \"80/x\": invalid proto: x"},
    {39, 2, "FROM scratch\nEXPOSE h:80:80\n", "invalid IP address: h"},
    {40, 2, "FROM scratch\nHEALTHCHECK FOO x\n",
     "Unknown type \"FOO\" in HEALTHCHECK (try CMD)"},
    {40, 2, "FROM scratch\nHEALTHCHECK CMD\n",
     "Missing command after HEALTHCHECK CMD"},
    {40, 2, "FROM scratch\nHEALTHCHECK NONE x\n",
     "HEALTHCHECK NONE takes no arguments"},
    {40, 2, "FROM scratch\nHEALTHCHECK --interval=1us CMD x\n",
     "Interval \"interval\" cannot be less than 1ms"},
    {40, 2, "FROM scratch\nHEALTHCHECK --retries=-1 CMD x\n",
     "--retries cannot be negative (-1)"},
    {41, 2, "FROM scratch\nONBUILD ONBUILD RUN x\n",
     "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"},
    {41, 2, "FROM scratch\nONBUILD FROM x\n",
     "FROM isn't allowed as an ONBUILD trigger"},
    {42, 2, "FROM scratch\nENV A=${X\n", "syntax error: missing '}'"},
    {42, 2, "FROM scratch\nWORKDIR ${FOO:?custom error}\n",
     "failed to process \"${FOO:?custom error}\": FOO: custom error"},
    {42, 2, "FROM scratch\nWORKDIR ${X:=a}\n",
     "unsupported modifier (:=) in substitution"},
    {43, 2, "# escape=`\n# escape=`\nFROM scratch\n",
     "only one escape parser directive can be used"},
    {43, 1, "# escape=x\nFROM scratch\n",
     "invalid escape token 'x' does not match ` or \\"},
    {44, 1, "# check=foo=1\nFROM scratch\n",
     "failed to parse check options: invalid check option \"foo\""},
    {45, 0, "# check=error=true\nFROM scratch as a\nCOPY . /\n",
     "lint violation found for rules: FromAsCasing"},
    {46, 2, "FROM scratch\nRUN --mount=type=tmp,target=/x true\n",
     "unsupported mount type \"tmp\" (did you mean tmpfs?)"},
    {46, 2, "FROM scratch\nRUN --mount=typ=x,target=/x true\n",
     "unexpected key 'typ' in 'typ=x' (did you mean type?)"},
    {46, 2, "FROM scratch\nRUN --mount=x true\n",
     "invalid field 'x' must be a key=value pair"},
    {46, 2, "FROM scratch\nRUN --mount=target=/x,mode=1 true\n",
     "mode not allowed for \"bind\" type mounts"},
    {46, 2, "FROM scratch\nRUN --mount=type=cache,target=/ true\n",
     "invalid mount target \"/\""},
    {46, 2, "FROM scratch\nRUN --mount=type=secret,source=a,id=b true\n",
     "both source and id can't be set"},
    {47, 2, "FROM scratch\nRUN --network=x true\n",
     "invalid network mode \"x\""},
    {47, 2, "FROM scratch\nRUN --security=x true\n",
     "security \"x\" is not valid"},
    {47, 2, "FROM scratch\nRUN --network=host true\n",
     "entitlement network.host is not allowed"},
    {47, 2, "FROM scratch\nRUN --security=insecure true\n",
     "entitlement security.insecure is not allowed"},
    {48, 2, "FROM scratch\nRUN --mount=type=secret,id=mysecret,required true\n",
     "secret mysecret: not found"},
    {49, 2, "FROM scratch\nRUN fail\n",
     "process \"/bin/sh -c fail\" did not complete successfully: exit code: 7"},
};

std::string said(testing::World& world, const std::string& dockerfile) {
  try {
    world.build(dockerfile);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("mistakes are told in BuildKit's words, with their place",
          "[errors]") {
  testing::World world;
  for (const Row& row : kRows) {
    DYNAMIC_SECTION("row " << row.number << ": " << row.text) {
      const std::string message = said(world, row.dockerfile);
      CHECK_THAT(message, Catch::Contains(row.text));
      if (row.line == 0) continue;
      const std::string place = "Dockerfile:" + std::to_string(row.line) + ":";
      CHECK_THAT(message, Catch::StartsWith(place));
      CHECK_THAT(message, Catch::Contains("\n     | "));
    }
  }
}

TEST_CASE("a mistake in a later line names the line of its instruction",
          "[errors]") {
  testing::World world;
  CHECK_THAT(said(world, "FROM scratch\nLABEL a=b \\\nCMD x\n"),
             Catch::StartsWith("Dockerfile:3:1: ") &&
                 Catch::Contains(" (in the LABEL of line 2)\n"));
  CHECK_THAT(said(world, "FROM scratch\nENV a=b \\\n  c=${d:?no}\n"),
             Catch::StartsWith("Dockerfile:3:5: ") &&
                 Catch::Contains(": d: no (in the ENV of line 2)\n"));
}

TEST_CASE("a target that is no stage is told with the nearest", "[errors]") {
  testing::World world;
  world.request.target = "bulid";
  CHECK(said(world, "FROM scratch AS build\n") ==
        "target stage \"bulid\" could not be found (did you mean build?)");
}

TEST_CASE("all mistakes of a file are told in one run", "[errors]") {
  testing::World world;
  const std::string message =
      said(world,
           "FROM scratch\nRUNN x\nCOPY a\nRUN --mount=from=$X true\n"
           "ENV\n\nSHELL x\n");
  for (const char* place : {"Dockerfile:2:", "Dockerfile:3:", "Dockerfile:4:",
                            "Dockerfile:5:", "Dockerfile:7:"})
    CHECK_THAT(message, Catch::Contains(place));
}

TEST_CASE("so are all that are seen only when words are expanded", "[errors]") {
  testing::World world;
  const std::string message =
      said(world,
           "FROM scratch AS a\nEXPOSE x\nENV A=${B:?no}\nEXPOSE $A/x\n"
           "FROM a AS b\nEXPOSE $A/x\n"
           "FROM scratch\nCOPY --from=b / /\nCOPY --chmod=9 a /\n"
           "EXPOSE x\n");
  for (const char* place :
       {"Dockerfile:2:", "Dockerfile:3:", "Dockerfile:9:", "Dockerfile:10:"})
    CHECK_THAT(message, Catch::Contains(place));
  // What an ENV that is wrong would have set is not known.
  for (const char* place : {"Dockerfile:4:", "Dockerfile:6:"})
    CHECK_THAT(message, !Catch::Contains(place));
}

}  // namespace cbuild::builder
