// The form of `docker build --check` and its like.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/check_report.h"

namespace cbuild::cli {
namespace {

using builder::LineRange;

// The lines with some around them, those meant marked (buildkit
// solver/errdefs/source.go).
std::string excerpt(const builder::DockerfileText& file, LineRange lines) {
  const std::vector<std::string> text = split(file.text, '\n');
  lines.last = std::min(lines.last, text.size());
  LineRange shown = lines;
  const std::size_t around = lines.first == lines.last ? 4 : 2;
  for (std::size_t added = 0; added < around; ++added) {
    if (shown.first > 1) {
      --shown.first;
      ++added;
    }
    if (shown.last < text.size()) {
      ++shown.last;
      ++added;
    }
  }
  const std::string bar(20, '-');
  std::string out = fmt::format("{}:{}\n{}\n", file.name, lines.first, bar);
  for (std::size_t n = shown.first; n <= shown.last; ++n)
    out += fmt::format(" {:3} | {} {}\n", n,
                       lines.first <= n && n <= lines.last ? ">>>" : "   ",
                       trim(text[n - 1], "\r"));
  return out + bar + "\n";
}

// Columns as wide as their widest cell and `gap` blanks; the last is ragged.
std::string columns(const std::vector<std::vector<std::string>>& rows,
                    std::size_t gap) {
  std::vector<std::size_t> width(rows.front().size(), 0);
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      width[i] = std::max(width[i], row[i].size() + gap);
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      line.append(width[i] - row[i].size(), ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string mounts(const char* title,
                   const std::vector<builder::OutlineMount>& list) {
  if (list.empty()) return "";
  std::vector<std::vector<std::string>> rows = {{title, "REQUIRED"}};
  for (const builder::OutlineMount& mount : list)
    rows.push_back({mount.name, mount.required ? "true" : ""});
  return columns(rows, 3) + "\n";
}

}  // namespace

std::string warnings_text(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " warning" : " warnings");
}

std::string check_text(const builder::CheckReport& report) {
  std::vector<builder::Finding> findings = report.findings;
  if (findings.empty())
    return report.error ? "" : "Check complete, no warnings found.\n";
  const auto line = [&](const builder::Finding& finding) {
    return builder::lines_of(report.file.text, finding.span);
  };
  std::stable_sort(findings.begin(), findings.end(),
                   [&](const auto& a, const auto& b) {
                     return line(a).first < line(b).first;
                   });
  std::string text = "Check complete, " + warnings_text(findings.size()) +
                     (findings.size() == 1 ? " has" : " have") +
                     " been found!\n";
  for (const builder::Finding& finding : findings) {
    const std::string url = builder::find_rule(finding.rule)->url();
    text += "\nWARNING: " + finding.rule + (url.empty() ? "" : " - " + url) +
            "\n" + finding.message + "\n" + excerpt(report.file, line(finding));
  }
  return text;
}

std::string outline_text(const builder::OutlineReport& report) {
  const builder::Outline& outline = report.outline;
  std::string text;
  if (!outline.name.empty() || !outline.description.empty()) {
    std::vector<std::vector<std::string>> rows = {
        {"TARGET:", outline.name.empty() ? "(default)" : outline.name}};
    if (!outline.description.empty())
      rows.push_back({"DESCRIPTION:", outline.description});
    text += columns(rows, 1) + "\n";
  }
  if (!outline.args.empty()) {
    std::vector<std::vector<std::string>> rows = {
        {"BUILD ARG", "VALUE", "DESCRIPTION"}};
    for (const builder::OutlineArg& arg : outline.args)
      rows.push_back({arg.name, arg.value, arg.description});
    text += columns(rows, 3) + "\n";
  }
  return text + mounts("SECRET", outline.secrets) + mounts("SSH", outline.ssh);
}

std::string targets_text(const builder::TargetsReport& report) {
  std::vector<std::vector<std::string>> rows = {{"TARGET", "DESCRIPTION"}};
  for (const builder::Target& target : report.targets) {
    std::string name = target.name;
    if (&target == &report.targets.back())
      name += name.empty() ? "(default)" : " (default)";
    rows.push_back({name, target.description});
  }
  return columns(rows, 1);
}

}  // namespace cbuild::cli
