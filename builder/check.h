// Looks at a Dockerfile without building it: BuildKit's requests frontend.lint,
// frontend.outline and frontend.targets.
//
// Nothing is executed, fetched or tagged. Base images count with what the store
// knows of them; only with `pull` is a registry asked. The platform of the
// request has no say: it is the builder's, as in BuildKit.
#pragma once

#include <exception>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "builder/build.h"
#include "builder/checks.h"
#include "builder/contexts.h"
#include "builder/outline.h"

namespace cbuild::builder {

// 1-based, both ends included.
struct LineRange {
  std::size_t first = 1;
  std::size_t last = 1;
};

// The lines of a place in a file.
LineRange lines_of(std::string_view text, parser::Span span);

// Why a Dockerfile cannot be built: of several mistakes the one BuildKit stops
// at.
struct CheckError {
  std::string message;
  std::vector<LineRange> lines;  // none where it has no place
  bool directive = false;        // it is in a `# name=value` at the top
  std::exception_ptr cause;      // all of them, rendered: as build() throws
};

struct CheckReport {
  DockerfileText file;
  std::vector<Finding> findings;  // those before the error, in BuildKit's order
  std::optional<CheckError> error;
  // Images not known here, whose variables therefore counted as undefined.
  std::set<std::string> missed_images;
};

// Without a target all stages are judged. Throws for what is not the
// Dockerfile's fault: UsageError, SystemError, registry errors.
CheckReport check(const BuildRequest& request, PlanEnvironment& environment);

// All throw parser::SyntaxError (located) and what check() throws.
struct OutlineReport {
  DockerfileText file;
  Outline outline;
};
OutlineReport outline(const BuildRequest& request,
                      PlanEnvironment& environment);

struct Target {
  std::string name;
  std::string description;
  std::string base;      // as written
  std::string platform;  // as written
  parser::Span span;
};
// In the order of the file; the last is the default.
struct TargetsReport {
  DockerfileText file;
  std::vector<Target> targets;
};
TargetsReport targets(const BuildRequest& request,
                      PlanEnvironment& environment);

}  // namespace cbuild::builder
