// Reports on a Dockerfile as text and as JSON, SARIF and GitHub's commands.
//
//   text     buildx's form: a heading, then each finding with the lines around
//   json     BuildKit's result.json of frontend.lint, .outline and .targets,
//            without the build graph of the Dockerfile itself
//   sarif    SARIF 2.1.0, for code scanning services
//   github   workflow commands: ::warning file=...,line=...::message
#pragma once

#include <string>

#include "builder/check.h"

namespace cbuild::cli {

// The error is not in check_text: it is printed as a build prints it.
std::string check_text(const builder::CheckReport& report);
std::string check_json(const builder::CheckReport& report);
std::string check_sarif(const builder::CheckReport& report);
std::string check_github(const builder::CheckReport& report);

std::string outline_text(const builder::OutlineReport& report);
std::string outline_json(const builder::OutlineReport& report);

std::string targets_text(const builder::TargetsReport& report);
std::string targets_json(const builder::TargetsReport& report);

// "1 warning", "3 warnings".
std::string warnings_text(std::size_t count);

}  // namespace cbuild::cli
