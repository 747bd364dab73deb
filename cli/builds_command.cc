// cbuild builds: what was built here, and what it printed.
#include <algorithm>
#include <ctime>

#include "base/text.h"
#include "cli/build_log.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/progress.h"

namespace cbuild::cli {
namespace {

constexpr Flag kFlags[] = {
    {"Options", "--format", Takes::one, "FORMAT",
     "json (an object a line), or nothing for a table"},
    {"Options", "--no-trunc", Takes::nothing, "", "Whole names of steps"},
};
constexpr FlagTable kTable = {{kFlags, kGlobalFlags}};

std::string seconds_text(double seconds) {
  return step_seconds(std::chrono::nanoseconds(
      static_cast<std::int64_t>(seconds * 1'000'000'000)));
}

std::size_t count(const LoggedBuild& build, std::string_view outcome) {
  return static_cast<std::size_t>(
      std::count_if(build.steps.begin(), build.steps.end(),
                    [&](const LoggedStep& s) { return s.outcome == outcome; }));
}

std::string name_of(const LoggedBuild& build) {
  return build.names.empty() ? build.context : join(build.names, ", ");
}

void list_builds(const std::vector<LoggedBuild>& builds) {
  const std::int64_t now = std::time(nullptr);
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < builds.size(); ++i) {
    const LoggedBuild& build = builds[i];
    const bool over = !build.outcome.empty();
    rows.push_back({std::to_string(i + 1), build.id,
                    human_duration(std::max<std::int64_t>(
                        0, now - build.started)) + " ago",
                    over ? seconds_text(build.seconds) : "",
                    over ? build.outcome : "unfinished",
                    over ? std::to_string(count(build, "run")) : "",
                    over ? std::to_string(count(build, "cached")) : "",
                    name_of(build)});
  }
  print(format_table(
      {"N", "ID", "STARTED", "TOOK", "RESULT", "RUN", "CACHED", "IMAGE"}, rows));
}

// The N-th newest, or the one whose id begins so.
const LoggedBuild& find(const std::vector<LoggedBuild>& builds,
                        const std::string& word) {
  const auto number = parse_number(word);
  if (number && *number >= 1 && *number <= builds.size())
    return builds[*number - 1];
  for (const LoggedBuild& build : builds)
    if (word.size() >= 8 && build.id.starts_with(word)) return build;
  throw Error("no such build: " + word + "; `cbuild builds` lists those kept");
}

void show_build(const LoggedBuild& build, bool whole) {
  std::string text = "build " + build.id + ": " +
                     (build.outcome.empty() ? "unfinished" : build.outcome) +
                     " in " + seconds_text(build.seconds) + "\n";
  if (!build.context.empty()) text += "context " + build.context + "\n";
  if (!build.image.empty())
    text += "image " + build.image +
            (build.names.empty() ? "" : " is " + join(build.names, ", ")) +
            "\n";
  if (!build.error.empty()) text += build.error + "\n";
  std::vector<std::vector<std::string>> rows;
  for (const LoggedStep& step : build.steps)
    rows.push_back(
        {std::to_string(step.number), step.outcome,
         step.outcome == "run" ? seconds_text(step.seconds) : "",
         step.bytes == 0 ? "" : short_size(step.bytes),
         whole ? step.name : ellipsis(step.name, 72)});
  print(text + "\n" +
        format_table({"STEP", "RESULT", "TIME", "LOG", "NAME"}, rows));
}

void show_log(const store::Store& store, const LoggedBuild& build,
              const std::string& word) {
  const auto number = parse_number(word);
  const bool known = std::any_of(
      build.steps.begin(), build.steps.end(),
      [&](const LoggedStep& step) { return number == step.number; });
  if (!known && !build.steps.empty())
    throw Error("the build has no step " + word);
  if (number) print(step_log(store, build, *number).value_or(""));
}

void run_builds(Session& session) {
  const Arguments& args = session.args();
  const std::string format = args.value("format");
  if (!format.empty() && format != "json")
    throw UsageError("invalid format " + go_quote(format) + ": want json");
  const std::vector<std::string>& words = args.words();
  if (!words.empty() && words.front() != "show")
    throw UsageError("unknown word: " + words.front() +
                     did_you_mean(words.front(), {"show"}) +
                     "\nSee 'cbuild builds --help'.");
  const std::vector<LoggedBuild> builds = logged_builds(session.store());
  if (words.empty()) {
    if (format.empty()) return list_builds(builds);
    for (const LoggedBuild& build : builds) print(json_of(build));
    return;
  }
  const LoggedBuild& build = find(builds, words.size() > 1 ? words[1] : "1");
  if (words.size() > 2) return show_log(session.store(), build, words[2]);
  if (format == "json") return print(json_of(build));
  show_build(build, args.has("no-trunc"));
}

}  // namespace

const Command kBuildsCommand = {
    "builds",
    "[OPTIONS] [show [N|ID [STEP]]]",
    "List past builds, their steps and what these printed",
    R"(The last 100 builds are kept, until `cbuild prune` removes them by age. N counts
from the newest, 1; STEP is a number as in "#5".

Examples:
  cbuild builds
  cbuild builds show 1
  cbuild builds show 1 5          all that step 5 printed
)",
    kTable,
    0,
    3,
    run_builds,
};

}  // namespace cbuild::cli
