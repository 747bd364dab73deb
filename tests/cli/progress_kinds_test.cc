// The renderers for machines: JSON, GitHub and GitLab.
#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "base/dir.h"
#include "base/text.h"
#include "cli/progress.h"
#include "cli/step_times.h"

using namespace cbuild;
using namespace cbuild::cli;
using builder::FinishedEvent;
using Outcome = builder::FinishedEvent::Outcome;

namespace {

// What is written to standard error while `body` runs.
template <typename Body>
std::string standard_error_of(Body&& body) {
  const TempDir dir("/tmp", "cbuild-progress-");
  const std::string path = dir.path() + "/err";
  const Fd file = open_path(path, O_WRONLY | O_CREAT, 0600);
  const int saved = ::dup(STDERR_FILENO);
  ::dup2(file.get(), STDERR_FILENO);
  body();
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
  return *read_file(path);
}

// Two steps at once; the first fails.
void tell(Renderer& renderer) {
  using namespace std::chrono_literals;
  renderer.on(builder::PlanEvent{{{"[1/3] FROM a", 1}, {"RUN one", 2},
                                  {"RUN two", 7}}});
  renderer.on(FinishedEvent{0, Outcome::cached, 0ns, ""});
  renderer.on(builder::StartedEvent{1});
  renderer.on(builder::StartedEvent{2});
  renderer.on(builder::OutputEvent{1, false, "a\n::error::x\nhal"});
  renderer.on(builder::OutputEvent{2, true, "other\n"});
  renderer.on(builder::OutputEvent{1, false, "f\n"});
  renderer.on(builder::MessageEvent{true, "50% of\nit"});
  renderer.on(FinishedEvent{1, Outcome::executed, 1500ms, ""});
  renderer.on(FinishedEvent{2, Outcome::failed, 2s, "exit code: 1"});
  renderer.finish();
}

std::string told_by(std::unique_ptr<Renderer> renderer) {
  return standard_error_of([&] { tell(*renderer); });
}

}  // namespace

TEST_CASE("every line of JSON progress is an object of version 1", "[progress]") {
  const std::string text = told_by(make_renderer(ProgressKind::json, "D"));
  std::vector<nlohmann::json> events;
  for (const std::string& line : split(text, '\n'))
    if (!line.empty()) events.push_back(nlohmann::json::parse(line));
  REQUIRE(events.size() == 10);
  for (const auto& event : events) {
    CHECK(event.at("version") == 1);
    CHECK(parse_rfc3339(event.at("time").get<std::string>()));
  }
  CHECK(events[0].at("event") == "plan");
  CHECK(events[0].at("steps").at(2) ==
        nlohmann::json({{"step", 3}, {"name", "RUN two"}, {"line", 7}}));
  CHECK(events[1].at("outcome") == "cached");
  CHECK(events[4].at("text") == "a\n::error::x\nhal");
  CHECK(events[5].at("stream") == "stderr");
  CHECK(events[7].at("level") == "warning");
  CHECK(events[8].at("seconds") == 1.5);
  CHECK(events[9].at("note") == "exit code: 1");
}

TEST_CASE("GitHub's groups do not mix, and errors have their place",
          "[progress]") {
  std::string text = told_by(make_renderer(ProgressKind::github, "a,b"));
  const std::size_t at = text.find("::stop-commands::") + 17;
  const std::string token = text.substr(at, 32);
  for (std::size_t t; (t = text.find(token)) != text.npos;)
    text.replace(t, token.size(), "T");
  CHECK(text ==
        "CACHED [1/3] FROM a\n"
        "::group::RUN one\n::stop-commands::T\n"
        "a\n::error::x\nhalf\nDONE 1.5s\n"
        "::T::\n::endgroup::\n"
        "::warning::50%25 of%0Ait\n"
        "::group::RUN two\n::stop-commands::T\n"
        "other\n"
        "::T::\n::endgroup::\n"
        "::error file=a%2Cb,line=7::exit code: 1\n");
}

TEST_CASE("GitLab's sections have a beginning and an end", "[progress]") {
  const std::string text = told_by(make_renderer(ProgressKind::gitlab, "D"));
  CHECK_THAT(text, Catch::Contains(":cbuild_step_2[collapsed=true]\r\x1b[0KRUN "
                                   "one\na\n::error::x\nhalf\nDONE 1.5s\n"));
  const std::size_t end = text.find(":cbuild_step_2\r");
  REQUIRE(end != text.npos);
  CHECK(end < text.find(":cbuild_step_3[collapsed=true]"));
  CHECK_THAT(text, Catch::Contains("ERROR (line 7): exit code: 1"));
}

TEST_CASE("a kind of progress that is not known is named with all that are",
          "[progress]") {
  CHECK_THROWS_WITH(progress_kind("githb", false),
                    Catch::Contains("did you mean github?") &&
                        Catch::Contains("auto, tty, plain, json"));
}

TEST_CASE("the slowest steps come first, ten of them", "[progress]") {
  StepTimes times;
  builder::PlanEvent plan;
  for (int i = 0; i < 13; ++i)
    plan.steps.push_back({"RUN " + std::to_string(i), 1});
  times.take(plan);
  CHECK(times.table().empty());
  for (std::size_t i = 0; i < 13; ++i)
    times.take(FinishedEvent{i, Outcome::executed, std::chrono::seconds(i), ""});
  const std::vector<std::string> lines = split(times.table(), '\n');
  REQUIRE(lines.size() == 12);
  CHECK(lines[0] == "    12.0s  RUN 12");
  CHECK(lines[9] == "     3.0s  RUN 3");
  CHECK(lines[10] == "     3.0s  3 more steps");
}
