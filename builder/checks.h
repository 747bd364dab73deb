// Build checks: what BuildKit's linter says of a Dockerfile that can be built.
//
// Rules, names and texts are BuildKit's (reference/peers.md section 2). Which
// of them speak is decided by the `# check=` directive, by the build argument
// BUILDKIT_DOCKERFILE_CHECK, and for one instruction by a `# check=` comment
// right above it.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "builder/build.h"
#include "builder/check_rules.h"
#include "parser/ast.h"

namespace cbuild::builder {

struct CheckConfig {
  bool skip_all = false;
  bool experimental_all = false;
  std::set<std::string> skip;
  std::set<std::string> experimental;
  bool error = false;  // a finding fails the build
};

// Reads "skip=A,B;error=true". Throws Error with BuildKit's words.
CheckConfig parse_check_options(std::string_view text);

// The build argument that stands for the directive cannot be read.
class BuildArgError : public UsageError {
 public:
  using UsageError::UsageError;
};

// Of a file, which may be one that cannot be parsed: from the build argument,
// else from the directive. Throws UsageError with BuildKit's words,
// BuildArgError where the argument is wrong.
CheckConfig check_config(const BuildRequest& request, std::string_view text);

struct Finding {
  std::string rule;
  std::string message;
  parser::Span span;
};

// Collects findings. One for a whole build; not thread-safe.
class Checks {
 public:
  explicit Checks(CheckConfig config) : config_(std::move(config)) {}

  // For one instruction: `comments` are the lines right above it.
  void enter(const std::vector<std::string>& comments);
  // Back to the whole file's configuration.
  void leave() { local_ = nullptr; }
  // Nothing more is reported: the file has a mistake, at which BuildKit stops.
  void stop() { stopped_ = true; }

  // Is the rule to be judged here?
  bool speaks(const CheckRule& rule) const;
  // Adds a finding unless the rule is off here.
  void report(const std::string& rule, std::string message, parser::Span span);

  const std::vector<Finding>& findings() const { return findings_; }

  // With error=true and any finding: throws Error "lint violation found for
  // rules: A, B".
  void fail_if_asked() const;

 private:
  CheckConfig config_;
  CheckConfig merged_;
  const CheckConfig* local_ = nullptr;
  bool stopped_ = false;
  std::vector<Finding> findings_;
};

// The parser's findings, each under the comments of its instruction.
void check_words(const std::vector<parser::Warning>& warnings, Checks& checks);

// The same of a whole file, and the rules on stage names and casing
// (checks_stages.cc).
void check_file(const parser::ParsedFile& file, Checks& checks);

// The rules on names that look like secrets.
bool looks_secret(std::string_view name);

}  // namespace cbuild::builder
