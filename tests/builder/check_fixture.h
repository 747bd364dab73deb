// A Dockerfile judged in a world of fakes.
#pragma once

#include <string>
#include <vector>

#include "builder/check.h"
#include "fakes.h"

namespace cbuild::builder::testing {

class Judged : public World {
 public:
  CheckReport check(const std::string& dockerfile) {
    BuildRequest r = request;
    r.context = context;
    r.dockerfile_text = dockerfile;
    PlanEnvironment environment{store(), images, web, progress};
    return builder::check(r, environment);
  }

  // "Rule:line: message" of each finding.
  std::vector<std::string> findings(const std::string& dockerfile) {
    std::vector<std::string> lines;
    const CheckReport report = check(dockerfile);
    for (const Finding& finding : report.findings)
      lines.push_back(
          finding.rule + ":" +
          std::to_string(lines_of(report.file.text, finding.span).first) +
          ": " + finding.message);
    return lines;
  }

  // Only the rules' names.
  std::vector<std::string> rules(const std::string& dockerfile) {
    std::vector<std::string> names;
    for (const Finding& finding : check(dockerfile).findings)
      names.push_back(finding.rule);
    return names;
  }
};

}  // namespace cbuild::builder::testing
