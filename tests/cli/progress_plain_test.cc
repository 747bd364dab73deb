#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <regex>

#include "base/fd.h"
#include "cli/progress.h"

namespace cbuild::cli {
namespace {

using namespace builder;
using std::chrono::milliseconds;

// What `body` writes to standard error, times made "T".
template <typename Body>
std::string standard_error_of(Body&& body) {
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  std::fflush(stderr);
  const Fd saved(::dup(STDERR_FILENO));
  ::dup2(::fileno(file), STDERR_FILENO);
  body();
  ::dup2(saved.get(), STDERR_FILENO);
  ::lseek(::fileno(file), 0, SEEK_SET);
  std::string text = read_all(::fileno(file), "standard error");
  std::fclose(file);
  return std::regex_replace(text, std::regex("\\b[0-9]+\\.[0-9]{3} "), "T ");
}

PlanEvent plan() {
  return {{{"[internal] load Dockerfile", 0},
           {"[build 1/2] RUN make", 2},
           {"[stage-1 1/2] RUN test", 5},
           {"[unused 1/1] RUN no", 7}}};
}

TEST_CASE("plain progress has BuildKit's form", "[cli]") {
  const std::string text = standard_error_of([] {
    const auto renderer = make_plain_renderer();
    renderer->on(plan());
    renderer->on(StartedEvent{1});
    renderer->on(OutputEvent{1, false, "one\ntw"});
    renderer->on(OutputEvent{1, true, "o\r\n"});
    renderer->on(FinishedEvent{1, FinishedEvent::Outcome::executed,
                               milliseconds(1240), ""});
    renderer->on(
        FinishedEvent{2, FinishedEvent::Outcome::cached, milliseconds(0), ""});
    renderer->on(
        FinishedEvent{3, FinishedEvent::Outcome::skipped, milliseconds(0), ""});
    renderer->on(SummaryEvent{1, 1, milliseconds(62500), 1234567});
    renderer->finish();
  });
  CHECK(text ==
        "#2 [build 1/2] RUN make\n"
        "#2 T one\n"
        "#2 T two\n"
        "#2 DONE 1.2s\n\n"
        "#3 [stage-1 1/2] RUN test\n"
        "#3 CACHED\n\n"
        "built in 1m02.5s: 1 step run, 1 cached, 1.23MB of layers written\n");
}

TEST_CASE("a step's heading comes again after another has spoken", "[cli]") {
  const std::string text = standard_error_of([] {
    const auto renderer = make_plain_renderer();
    renderer->on(plan());
    renderer->on(StartedEvent{1});
    renderer->on(OutputEvent{1, false, "a\n"});
    renderer->on(StartedEvent{2});
    renderer->on(OutputEvent{2, false, "b\n"});
    renderer->on(OutputEvent{1, false, "no line end"});
    renderer->finish();
  });
  CHECK(text ==
        "#2 [build 1/2] RUN make\n#2 T a\n#2 ...\n\n"
        "#3 [stage-1 1/2] RUN test\n#3 T b\n#3 ...\n\n"
        "#2 [build 1/2] RUN make\n#2 T no line end\n");
}

TEST_CASE("what a step fetches is shown", "[cli]") {
  const auto fetch = [](Renderer& renderer) {
    renderer.on(plan());
    renderer.on(StartedEvent{1});
    renderer.on(TransferEvent{1, "file.txt", 1500000, 0});
    renderer.on(MessageEvent{false, "drawn now"});
    renderer.on(TransferEvent{1, "file.txt", 3000000, 3000000});
    renderer.finish();
  };
  SECTION("at its end, as a line") {
    CHECK(standard_error_of([&] { fetch(*make_plain_renderer()); }) ==
          "#2 [build 1/2] RUN make\n#2 ...\n\ndrawn now\n"
          "#2 [build 1/2] RUN make\n#2 file.txt 3MB done\n");
  }
  SECTION("on a terminal while it comes") {
    const std::string text =
        standard_error_of([&] { fetch(*make_tty_renderer()); });
    CHECK_THAT(text, Catch::Contains("=> [build 1/2] RUN make") &&
                         Catch::Contains("   file.txt") &&
                         Catch::Contains("1.5MB"));
  }
}

TEST_CASE("a failure is told with its reason", "[cli]") {
  const std::string text = standard_error_of([] {
    const auto renderer = make_plain_renderer();
    renderer->on(plan());
    renderer->on(StartedEvent{1});
    renderer->on(FinishedEvent{1, FinishedEvent::Outcome::failed,
                               milliseconds(10), "exit code: 1"});
    renderer->on(MessageEvent{true, "old syntax"});
    renderer->finish();
  });
  CHECK(text ==
        "#2 [build 1/2] RUN make\n#2 ERROR: exit code: 1\n\n"
        "warning: old syntax\n");
}

TEST_CASE("the words of --progress", "[cli]") {
  ::unsetenv("CBUILD_PROGRESS");
  ::setenv("BUILDKIT_PROGRESS", "plain", 1);
  CHECK(progress_kind("", false) == ProgressKind::plain);
  CHECK(progress_kind("tty", false) == ProgressKind::tty);
  CHECK(progress_kind("tty", true) == ProgressKind::quiet);
  CHECK(progress_kind("none", false) == ProgressKind::quiet);
  ::unsetenv("BUILDKIT_PROGRESS");
  CHECK_THROWS_WITH(progress_kind("plian", false),
                    Catch::Contains("did you mean plain?"));
}

}  // namespace
}  // namespace cbuild::cli
