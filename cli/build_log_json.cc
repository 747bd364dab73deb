// build.json, written and read.
#include <fcntl.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/dir.h"
#include "cli/build_log.h"

namespace cbuild::cli {
namespace {

using Json = nlohmann::ordered_json;

// A file that cannot be read as one of ours is as none: the build shows as
// unfinished.
std::optional<LoggedBuild> parse_build(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    LoggedBuild build;
    build.id = json.at("id");
    build.started = json.at("started");
    build.seconds = json.at("seconds");
    build.outcome = json.at("outcome");
    build.error = json.at("error");
    build.context = json.at("context");
    build.image = json.at("image");
    build.names = json.at("names").get<std::vector<std::string>>();
    for (const Json& step : json.at("steps"))
      build.steps.push_back({.number = step.at("step"),
                             .name = step.at("name"),
                             .line = step.at("line"),
                             .outcome = step.at("outcome"),
                             .seconds = step.at("seconds"),
                             .bytes = step.at("log_bytes")});
    return build;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::string json_of(const LoggedBuild& build) {
  Json json = {{"version", 1},
               {"id", build.id},
               {"started", build.started},
               {"seconds", build.seconds},
               {"outcome", build.outcome},
               {"error", build.error},
               {"context", build.context},
               {"image", build.image},
               {"names", build.names},
               {"steps", Json::array()}};
  for (const LoggedStep& step : build.steps)
    json["steps"].push_back({{"step", step.number},
                             {"name", step.name},
                             {"line", step.line},
                             {"outcome", step.outcome},
                             {"seconds", step.seconds},
                             {"log_bytes", step.bytes}});
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::vector<LoggedBuild> logged_builds(const store::Store& store) {
  std::vector<LoggedBuild> builds;
  const std::string logs = store.root() + "/logs";
  const auto dir = try_openat(AT_FDCWD, logs, O_RDONLY | O_DIRECTORY);
  if (!dir) return builds;
  for (const std::string& id : list_dir(dir->get())) {
    const auto text = read_file_at(dir->get(), id + "/build.json");
    auto build = text ? parse_build(*text) : std::nullopt;
    if (!build) {
      build.emplace();
      build->id = id;
      if (const auto st = lstat_at(dir->get(), id)) build->started = st->st_mtime;
    }
    builds.push_back(std::move(*build));
  }
  std::reverse(builds.begin(), builds.end());
  return builds;
}

}  // namespace cbuild::cli
