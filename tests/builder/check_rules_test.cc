// Each build check: what it says, and what it leaves alone.
#include <catch2/catch.hpp>

#include "check_fixture.h"

namespace cbuild::builder {
namespace {

using Lines = std::vector<std::string>;

struct Case {
  const char* promise;
  const char* dockerfile;
  Lines says;
};

void hold(testing::Judged& world, const std::vector<Case>& cases) {
  for (const Case& c : cases) DYNAMIC_SECTION(c.promise) {
      CHECK(world.findings(c.dockerfile) == c.says);
    }
}

}  // namespace

TEST_CASE("checks of how words are written", "[builder]") {
  testing::Judged world;
  hold(world,
       {
           {"a stage name is lowercase",
            "FROM scratch AS Mill\n",
            {"StageNameCasing:1: Stage name 'Mill' should be lowercase"}},
           {"AS looks like FROM",
            "FROM scratch as mill\n",
            {"FromAsCasing:1: 'as' and 'FROM' keywords' casing do not match"}},
           {"a FROM of mixed case is not compared with its AS",
            "FROM scratch\nfrom scratch as a\n"
            "COPY a /\n",
            {"ConsistentInstructionCasing:2: Command 'from' should match the "
             "case of the command majority (uppercase)"}},
           {"the majority is lower case",
            "from scratch\ncopy a /\nENV a=b\n",
            {"ConsistentInstructionCasing:3: Command 'ENV' should match the "
             "case of the command majority (lowercase)"}},
           {"an empty line in an instruction, named at its last line",
            "FROM scratch\nENV a=b \\\n\n c=d\n",
            {"NoEmptyContinuation:4: Empty continuation line"}},
           {"a file that ends in a continuation and a blank line",
            "FROM scratch\nENV a=b \\\n\n",
            {"NoEmptyContinuation:3: Empty continuation line"}},
           {"ENV and LABEL with a blank for =",
            "FROM scratch\nENV a b\nLABEL c d\n",
            {"LegacyKeyValueFormat:2: \"ENV key=value\" should be used instead "
             "of legacy \"ENV key value\" format",
             "LegacyKeyValueFormat:3: \"LABEL key=value\" should be used "
             "instead of legacy \"LABEL key value\" format"}},
           {"MAINTAINER",
            "FROM scratch\nMAINTAINER me\n",
            {"MaintainerDeprecated:2: Maintainer instruction is deprecated in "
             "favor of using label"}},
           {"a port's protocol is lowercase",
            "FROM scratch\nEXPOSE 80/TCP\n",
            {"ExposeProtoCasing:2: Defined protocol '80/TCP' in EXPOSE "
             "instruction should be lowercase"}},
           {"a port without a host's",
            "FROM scratch\nEXPOSE 8080:80\n",
            {"ExposeInvalidFormat:2: EXPOSE instruction should not define an "
             "IP address or host-port mapping, found '8080:80'"}},
       });
}

TEST_CASE("checks of stages and bases", "[builder]") {
  testing::Judged world;
  hold(world,
       {
           {"two stages of one name",
            "FROM scratch AS a\nFROM scratch AS a\n",
            {"DuplicateStageName:2: Duplicate stage name \"a\", stage names "
             "should be unique"}},
           {"a stage called scratch",
            "FROM scratch AS scratch\n",
            {"ReservedStageName:1: Stage name should not use the same name as "
             "reserved stage \"scratch\""}},
           {"a FROM variable nobody declared",
            "ARG FLAVOUR=1\nFROM scratch AS a\nFROM a${FLAVOR:+b}\n",
            {"UndefinedArgInFrom:3: FROM argument 'FLAVOR' is not declared "
             "(did you mean FLAVOUR?)"}},
           {"a base name that is good only with a build argument",
            "ARG BASE\nFROM ${BASE}x:\n",
            {"InvalidDefaultArgInFrom:2: Default value for ARG ${BASE}x: "
             "results in empty or invalid base image name"}},
           {"the platform that is so anyway",
            "FROM --platform=$TARGETPLATFORM scratch\n",
            {"RedundantTargetPlatform:1: Setting platform to predefined "
             "$TARGETPLATFORM in FROM is redundant as this is the default "
             "behavior"}},
           {"a constant platform",
            "FROM --platform=linux/arm64 scratch\n",
            {"FromPlatformFlagConstDisallowed:1: FROM --platform flag should "
             "not use constant value \"linux/arm64\""}},
           {"a constant platform that the stage is named after",
            "FROM --platform=linux/arm64 scratch AS for-arm64\n",
            {}},
           {"stages that nothing needs are judged too",
            "FROM scratch AS a\nWORKDIR x\nFROM scratch\n",
            {"WorkdirRelativePath:2: Relative workdir \"x\" can have "
             "unexpected results if the base image changes"}},
       });
}

TEST_CASE("checks of what instructions mean", "[builder]") {
  testing::Judged world;
  hold(world,
       {
           {"a command for a shell that swallows signals",
            "FROM scratch\nCMD run me\n",
            {"JSONArgsRecommended:2: JSON arguments recommended for CMD to "
             "prevent unintended behavior related to OS signals"}},
           {"a command for a shell that was chosen",
            "FROM scratch\nSHELL [\"/bin/sh\"]\nCMD run me\n",
            {}},
           {"only the last CMD counts",
            "FROM scratch\nCMD [\"a\"]\nCMD [\"b\"]\n",
            {"MultipleInstructionsDisallowed:2: Multiple CMD instructions "
             "should not be used in the same stage because only the last one "
             "will be used"}},
           {"only the first WORKDIR is to be absolute",
            "FROM scratch\nWORKDIR /a\nWORKDIR b\n",
            {}},
           {"a variable nobody set, with the nearest name",
            "FROM scratch\nENV COLOUR=red\nLABEL c=$COLOR\n",
            {"UndefinedVar:3: Usage of undefined variable '$COLOR' (did you "
             "mean $COLOUR?)"}},
           {"an unset variable though it has a default",
            "FROM scratch\nLABEL c=${COLOR:-red}\n",
            {"UndefinedVar:2: Usage of undefined variable '$COLOR'"}},
           {"an ARG without a value is defined",
            "FROM scratch\nARG COLOR\nLABEL c=$COLOR\n",
            {}},
           {"the shell's variables are the shell's",
            "FROM scratch\nRUN echo $COLOR\n",
            {}},
           {"names that look like secrets",
            "FROM scratch\nARG API_TOKEN\nENV DB_PASSWORD=x PUBLIC_KEY=y\n",
            {"SecretsUsedInArgOrEnv:2: Do not use ARG or ENV instructions for "
             "sensitive data (ARG \"API_TOKEN\")",
             "SecretsUsedInArgOrEnv:3: Do not use ARG or ENV instructions for "
             "sensitive data (ENV \"DB_PASSWORD\")"}},
       });
}

TEST_CASE("an ignored source is told unless an exception may save it",
          "[builder]") {
  testing::Judged world;
  const std::string text = "FROM scratch\nCOPY a.txt /\nADD http://x/a.txt /\n";
  world.file(".dockerignore", "*.txt\n");
  CHECK(world.findings(text) ==
        Lines{"CopyIgnoredFile:2: Attempting to Copy file \"a.txt\" that is "
              "excluded by .dockerignore"});
  world.file(".dockerignore", "*.txt\n!b\n");
  CHECK(world.findings(text).empty());
}

TEST_CASE("a comment that describes nothing is told where asked for",
          "[builder]") {
  testing::Judged world;
  const std::string file = "# Something\nFROM scratch AS mill\n";
  CHECK(world.findings(file).empty());
  CHECK(world.findings("# check=experimental=all\n" + file) ==
        Lines{"InvalidDefinitionDescription:3: Comment for FROM should follow "
              "the format: `# mill <description>`"});
}

}  // namespace cbuild::builder
