// Flags of build under "How commands run".
#pragma once

#include "builder/build.h"
#include "cli/options.h"

namespace cbuild::cli {

// Throws UsageError naming the flag and the value.
void read_run_flags(const Arguments& arguments, builder::BuildRequest& request);
// --secret and --ssh, for debug too.
void read_secrets(const Arguments& arguments, builder::BuildRequest& request);
void read_ssh(const Arguments& arguments, builder::BuildRequest& request);
runtime::RunnerOptions runner_options(const Arguments& arguments);

}  // namespace cbuild::cli
