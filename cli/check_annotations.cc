// Findings for services that show them beside the code.
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/check_report.h"

namespace cbuild::cli {
namespace {

using Json = nlohmann::ordered_json;
using builder::LineRange;

// The rule under which SARIF lists what keeps the file from being built.
constexpr const char* kErrorRule = "DockerfileError";

std::string path_of(const builder::DockerfileText& file) {
  return file.path.empty() ? file.name : clean_path(file.path);
}

// A path as a URI reference (RFC 3986): other bytes than these are escaped, the
// colon too, which would make the first part of a path a scheme.
std::string uri_of(const std::string& path) {
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/+@,";
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string uri = path.starts_with('/') ? "file://" : "";
  for (const char c : path) {
    if (plain.find(c) != std::string_view::npos) {
      uri += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    uri += '%';
    uri += hex[byte >> 4];
    uri += hex[byte & 15];
  }
  return uri;
}

Json sarif_rules() {
  Json rules = Json::array();
  for (const builder::CheckRule& rule : builder::check_rules()) {
    Json entry = {{"id", rule.name},
                  {"shortDescription", {{"text", rule.description}}}};
    if (!rule.url().empty()) entry["helpUri"] = rule.url();
    rules.push_back(std::move(entry));
  }
  rules.push_back(
      {{"id", kErrorRule},
       {"shortDescription", {{"text", "The Dockerfile cannot be built"}}}});
  return rules;
}

Json sarif_result(const builder::CheckReport& report, const std::string& rule,
                  const char* level, const std::string& message,
                  const std::vector<LineRange>& lines) {
  Json result = {
      {"ruleId", rule}, {"level", level}, {"message", {{"text", message}}}};
  const Json file = {{"uri", uri_of(path_of(report.file))}};
  for (const LineRange& range : lines)
    result["locations"].push_back(
        {{"physicalLocation",
          {{"artifactLocation", file},
           {"region",
            {{"startLine", range.first}, {"endLine", range.last}}}}}});
  if (lines.empty())
    result["locations"].push_back(
        {{"physicalLocation", {{"artifactLocation", file}}}});
  return result;
}

// Workflow commands end at a line's end and part their properties with commas.
std::string escaped(std::string_view text, bool property) {
  std::string out;
  for (const char c : text) {
    if (c == '%')
      out += "%25";
    else if (c == '\r')
      out += "%0D";
    else if (c == '\n')
      out += "%0A";
    else if (property && c == ':')
      out += "%3A";
    else if (property && c == ',')
      out += "%2C";
    else
      out += c;
  }
  return out;
}

std::string command(const char* kind, const builder::CheckReport& report,
                    const std::vector<LineRange>& lines,
                    const std::string& title, const std::string& message) {
  std::string text =
      std::string("::") + kind + " file=" + escaped(path_of(report.file), true);
  if (!lines.empty())
    text += ",line=" + std::to_string(lines.front().first) +
            ",endLine=" + std::to_string(lines.front().last);
  return text + ",title=" + escaped(title, true) +
         "::" + escaped(message, false) + "\n";
}

}  // namespace

std::string check_sarif(const builder::CheckReport& report) {
  Json results = Json::array();
  for (const builder::Finding& finding : report.findings)
    results.push_back(
        sarif_result(report, finding.rule, "warning", finding.message,
                     {builder::lines_of(report.file.text, finding.span)}));
  if (report.error)
    results.push_back(sarif_result(report, kErrorRule, "error",
                                   report.error->message, report.error->lines));
  const Json driver = {{"name", "cbuild"},
                       {"version", CBUILD_VERSION},
                       {"rules", sarif_rules()}};
  const Json json = {
      {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
      {"version", "2.1.0"},
      {"runs",
       Json::array({{{"tool", {{"driver", driver}}}, {"results", results}}})}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string check_github(const builder::CheckReport& report) {
  std::string text;
  for (const builder::Finding& finding : report.findings)
    text += command("warning", report,
                    {builder::lines_of(report.file.text, finding.span)},
                    finding.rule, finding.message);
  if (report.error)
    text += command("error", report, report.error->lines, "Dockerfile",
                    report.error->message);
  return text;
}

}  // namespace cbuild::cli
