// What is judged, what is skipped, and what an error leaves standing.
#include "builder/check.h"

#include <catch2/catch.hpp>

#include "check_fixture.h"

namespace cbuild::builder {
namespace {

using Names = std::vector<std::string>;

const std::string kTwo = "FROM scratch\nWORKDIR x\nCMD y\n";

// A registry that has one image, whatever is asked for.
class OneImage final : public registry::ImageSource {
 public:
  explicit OneImage(store::Image image) : image_(std::move(image)) {}
  store::Image resolve(const registry::Reference&,
                       const store::Platform&) override {
    return image_;
  }
  void fetch_layers(const registry::Reference&, const store::Image&) override {}

 private:
  store::Image image_;
};

Names warnings(const testing::RecordedProgress& progress) {
  Names texts;
  for (const Event& event : progress.events)
    if (const auto* message = std::get_if<MessageEvent>(&event))
      if (message->warning) texts.push_back(message->text);
  return texts;
}

}  // namespace

TEST_CASE("the directive chooses among the checks", "[builder]") {
  struct Case {
    const char* promise;
    const char* directive;
    Names rules;
  };
  const Case cases[] = {
      {"none", "", {"WorkdirRelativePath", "JSONArgsRecommended"}},
      {"one is skipped",
       "# check=skip=JSONArgsRecommended\n",
       {"WorkdirRelativePath"}},
      {"all are skipped", "# check=skip=all\n", {}},
      {"all in a list is no rule",
       "# check=skip=all,x\n",
       {"WorkdirRelativePath", "JSONArgsRecommended"}},
      {"the value ends at a blank",
       "# check=skip=JSONArgsRecommended, WorkdirRelativePath\n",
       {"WorkdirRelativePath"}},
      {"after a blank line it is a comment",
       "\n# check=skip=all\n",
       {"WorkdirRelativePath", "JSONArgsRecommended"}},
  };
  testing::Judged world;
  for (const Case& c : cases) DYNAMIC_SECTION(c.promise) {
      CHECK(world.rules(c.directive + kTwo) == c.rules);
    }
}

TEST_CASE("a comment above an instruction speaks for that one", "[builder]") {
  testing::Judged world;
  CHECK(world.rules("FROM scratch\n# check=skip=all\nWORKDIR x\nCMD y\n") ==
        Names{"JSONArgsRecommended"});
  CHECK(world.rules("ARG z=1\n"
                    "# check=experimental=InvalidDefinitionDescription\n"
                    "ARG a=1\nFROM scratch as b\n") ==
        Names{"InvalidDefinitionDescription", "FromAsCasing"});
}

TEST_CASE("the build argument replaces the directive", "[builder]") {
  testing::Judged world;
  world.request.build_args = {{"BUILDKIT_DOCKERFILE_CHECK", ""}};
  CHECK(world.rules("# check=skip=all\n" + kTwo).size() == 2);
  world.request.build_args = {{"BUILDKIT_DOCKERFILE_CHECK", "skip=all"}};
  CHECK(world.rules(kTwo).empty());
  world.request.build_args = {{"BUILDKIT_DOCKERFILE_CHECK", "nonsense"}};
  CHECK_THROWS_WITH(world.check(kTwo),
                    "failed to parse build-arg:BUILDKIT_DOCKERFILE_CHECK: "
                    "invalid check option \"nonsense\"");
}

TEST_CASE("error=true makes findings an error", "[builder]") {
  testing::Judged world;
  const CheckReport report = world.check("# check=error=true\n" + kTwo);
  REQUIRE(report.error);
  CHECK(report.error->message ==
        "lint violation found for rules: JSONArgsRecommended, "
        "WorkdirRelativePath");
  CHECK(report.findings.size() == 2);
  CHECK_FALSE(world.check("# check=error=true\nFROM scratch\n").error);
}

TEST_CASE("with a target only what it needs is judged", "[builder]") {
  testing::Judged world;
  const std::string text =
      "FROM scratch AS a\nWORKDIR x\nFROM scratch as b\nWORKDIR y\n";
  CHECK(world.rules(text).size() == 3);
  world.request.target = "a";
  CHECK(world.rules(text) == Names{"FromAsCasing", "WorkdirRelativePath"});
}

TEST_CASE("an error keeps what was found before it, and names its lines",
          "[builder]") {
  struct Case {
    const char* promise;
    const char* dockerfile;
    Names rules;
    const char* error;
    std::size_t first, last;  // 0: it has no place
  };
  const Case cases[] = {
      {"a mistake in an instruction",
       "FROM scratch as a\nCOPY x\nFROM b AS C\n",
       {"FromAsCasing"},
       "dockerfile parse error on line 2: COPY requires at least two "
       "arguments, but only one was provided. Destination could not be "
       "determined",
       2,
       2},
      {"lines that cannot be split are met before all instructions",
       "FROM scratch as a\nRUN <<x\necho\n",
       {},
       "unterminated heredoc",
       2,
       3},
      {"a mistake that planning finds",
       "FROM scratch\nWORKDIR x\nEXPOSE \\\n 1/x\nWORKDIR y\n",
       {"WorkdirRelativePath"},
       "invalid port: \"1/x\": invalid proto: x",
       3,
       4},
      {"the first of several such",
       "FROM scratch\nEXPOSE x\nWORKDIR y\nEXPOSE x\n",
       {},
       "invalid containerPort: x",
       2,
       2},
      {"a circle, from its first instruction to its last",
       "FROM scratch AS a\nCOPY --from=b / /\nFROM scratch AS b\n"
       "COPY --from=a / /\n",
       {},
       "circular dependency detected on stage: a",
       2,
       4},
      {"a word that cannot be expanded",
       "FROM scratch\nENV a=${b:?no}\n",
       {"UndefinedVar"},
       "failed to process \"${b:?no}\": b: no",
       2,
       2},
      {"no stage",
       "ARG a\n",
       {},
       "dockerfile contains no stages to build",
       0,
       0},
  };
  testing::Judged world;
  for (const Case& c : cases) DYNAMIC_SECTION(c.promise) {
      const CheckReport report = world.check(c.dockerfile);
      Names rules;
      for (const Finding& finding : report.findings)
        rules.push_back(finding.rule);
      CHECK(rules == c.rules);
      REQUIRE(report.error);
      CHECK(report.error->message == c.error);
      const auto& lines = report.error->lines;
      CHECK((lines.empty() ? 0 : lines.front().first) == c.first);
      CHECK((lines.empty() ? 0 : lines.back().last) == c.last);
    }
}

TEST_CASE("what this program cannot do yet is no fault of the file",
          "[builder]") {
  testing::Judged world;
  const CheckReport report = world.check(
      "FROM scratch\nRUN --network=host --security=insecure true\n"
      "COPY --link --chown=app a /\nRUN --mount=type=ssh true\n"
      "ADD https://host.example/a /\nADD git@host.example:a.git /b\n");
  CHECK_FALSE(report.error);
  CHECK(report.findings.empty());
}

TEST_CASE("a base that is not here is not asked for", "[builder]") {
  testing::Judged world;
  const CheckReport report = world.check("FROM base\nLABEL a=$VERSION\n");
  CHECK(world.images.asked == 0);
  CHECK_FALSE(report.error);
  CHECK(report.findings.size() == 1);
  CHECK(report.missed_images == std::set<std::string>{"base"});
  world.request.pull = true;
  CHECK_THROWS_AS(world.check("FROM base\n"), registry::RegistryError);
}

TEST_CASE("triggers and variables of a base that is here count", "[builder]") {
  testing::Judged world;
  world.request.tags = {registry::Reference::parse("base").with_default_tag()};
  world.build("FROM scratch\nENV VERSION=1\nONBUILD WORKDIR $NAME\n");
  CHECK(world.findings("FROM base\nLABEL a=$VERSION\n") ==
        Names{"UndefinedVar:1: Usage of undefined variable '$NAME'",
              "WorkdirRelativePath:1: Relative workdir \"\" can have "
              "unexpected results if the base image changes"});
}

TEST_CASE("findings are told at the end of a build, also of a cached one",
          "[builder]") {
  testing::World world;
  for (int round = 0; round < 2; ++round) {
    world.build("FROM scratch\nRUN write a 1\nCMD b\n");
    CHECK(warnings(world.progress) ==
          Names{"JSONArgsRecommended: JSON arguments recommended for CMD to "
                "prevent unintended behavior related to OS signals (line 3)"});
  }
}

TEST_CASE("a base image of another platform is told, and built on",
          "[builder]") {
  testing::World world;
  const char* const other = store::host_platform().architecture == "arm64"
                                ? "linux/amd64"
                                : "linux/arm64";
  world.request.platform = store::parse_platform(other);
  const BuildResult made = world.build("FROM scratch\nRUN write a 1\n");

  OneImage images(world.store().images.load(made.manifest));
  BuildEnvironment environment{
      {world.store(), images, world.web, world.progress}, world.runner};
  BuildRequest request;
  request.context = world.context;
  request.dockerfile_text = "FROM made:1\nRUN write b 1\n";
  world.progress.events.clear();
  CHECK(build(request, environment).executed == 1);
  CHECK(warnings(world.progress) ==
        Names{"InvalidBaseImagePlatform: Base image made:1 was pulled with "
              "platform \"" +
              std::string(other) + "\", expected \"" +
              store::host_platform().text() + "\" for current build (line 1)"});
}

}  // namespace cbuild::builder
