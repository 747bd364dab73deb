// BuildKit's result.json (frontend/subrequests/{lint,outline,targets}): the
// same keys, and left out where Go's omitempty leaves them out.
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/check_report.h"

namespace cbuild::cli {
namespace {

using Json = nlohmann::ordered_json;
using builder::DockerfileText;
using builder::LineRange;

Json range(std::size_t first, std::size_t last) {
  return {{"start", {{"line", first}}}, {"end", {{"line", last}}}};
}

// An instruction's place has a range for each of its lines.
Json place(const DockerfileText& file, parser::Span span) {
  const LineRange lines = builder::lines_of(file.text, span);
  Json ranges = Json::array();
  for (std::size_t line = lines.first; line <= lines.last; ++line)
    ranges.push_back(range(line, line));
  return {{"ranges", std::move(ranges)}};
}

// Of a directive BuildKit names the line above, which it has not counted yet.
Json error_place(const builder::CheckError& error) {
  const std::size_t back = error.directive ? 1 : 0;
  Json result = Json::object();
  for (const LineRange& r : error.lines)
    if (r.first > back)
      result["ranges"].push_back(range(r.first - back, r.last - back));
  return result;
}

void set_unless_empty(Json& object, const char* key, const std::string& value) {
  if (!value.empty()) object[key] = value;
}

// A Dockerfile need not be UTF-8; JSON is.
std::string printed(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json source(const DockerfileText& file) {
  const std::string name = file.name.substr(file.name.rfind('/') + 1);
  return {{"filename", name},
          {"data", base64_encode(file.text)},
          {"language", "Dockerfile"}};
}

Json mounts(const DockerfileText& file,
            const std::vector<builder::OutlineMount>& list) {
  Json result = Json::array();
  for (const builder::OutlineMount& mount : list) {
    Json json = {{"name", mount.name}};
    if (mount.required) json["required"] = true;
    json["location"] = place(file, mount.span);
    result.push_back(std::move(json));
  }
  return result;
}

}  // namespace

std::string check_json(const builder::CheckReport& report) {
  Json json;
  json["warnings"] = nullptr;
  for (const builder::Finding& finding : report.findings) {
    const builder::CheckRule& rule = *builder::find_rule(finding.rule);
    Json warning = {{"ruleName", finding.rule},
                    {"description", rule.description}};
    set_unless_empty(warning, "url", rule.url());
    warning["detail"] = finding.message;
    warning["location"] = place(report.file, finding.span);
    json["warnings"].push_back(std::move(warning));
  }
  json["sources"] = Json::array({source(report.file)});
  if (report.error)
    json["buildError"] = {{"message", report.error->message},
                          {"location", error_place(*report.error)}};
  return printed(json);
}

std::string outline_json(const builder::OutlineReport& report) {
  const builder::Outline& outline = report.outline;
  Json json = Json::object();
  set_unless_empty(json, "name", outline.name);
  set_unless_empty(json, "description", outline.description);
  for (const builder::OutlineArg& arg : outline.args) {
    Json entry = {{"name", arg.name}};
    set_unless_empty(entry, "description", arg.description);
    set_unless_empty(entry, "value", arg.value);
    entry["location"] = place(report.file, arg.span);
    json["args"].push_back(std::move(entry));
  }
  if (!outline.secrets.empty())
    json["secrets"] = mounts(report.file, outline.secrets);
  if (!outline.ssh.empty()) json["ssh"] = mounts(report.file, outline.ssh);
  json["sources"] = Json::array({base64_encode(report.file.text)});
  return printed(json);
}

std::string targets_json(const builder::TargetsReport& report) {
  Json json;
  json["targets"] = nullptr;
  for (const builder::Target& target : report.targets) {
    Json entry = Json::object();
    set_unless_empty(entry, "name", target.name);
    if (&target == &report.targets.back()) entry["default"] = true;
    set_unless_empty(entry, "description", target.description);
    set_unless_empty(entry, "base", target.base);
    set_unless_empty(entry, "platform", target.platform);
    entry["location"] = place(report.file, target.span);
    json["targets"].push_back(std::move(entry));
  }
  json["sources"] = Json::array({base64_encode(report.file.text)});
  return printed(json);
}

}  // namespace cbuild::cli
