// The variables that exist before the first FROM, and what the command line
// adds to every stage (reference/peers.md 1.5).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "builder/build.h"
#include "builder/stage_graph.h"

namespace cbuild::builder {

struct BuildArgs {
  std::map<std::string, std::string> values;
  // HTTP_PROXY and its kind in both spellings, for every RUN; not in any key.
  std::vector<std::string> proxy_env;
};

// --build-arg; one without a value takes it from cbuild's own environment, and
// is dropped where it has none.
BuildArgs read_build_args(const BuildRequest& request);

// Platform words and TARGETSTAGE.
GlobalScope platform_scope(const parser::ParsedFile& file,
                           const BuildArgs& build_args,
                           const store::Platform& build_platform,
                           const store::Platform& target_platform,
                           const std::string& target);

// Adds the file's ARGs before the first FROM. Throws parser::SyntaxError (not
// located).
void declare_global_args(const parser::ParsedFile& file,
                         const BuildArgs& build_args, GlobalScope& scope);

}  // namespace cbuild::builder
