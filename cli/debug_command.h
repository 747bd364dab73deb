// Entering the state that a failed RUN left.
#pragma once

#include <string>

#include "builder/failed_run.h"
#include "cli/command.h"

namespace cbuild::cli {

// On the user's terminal where there is one, else with our standard streams.
// Throws RunFailed where the command fails.
void debug(Session& session, const std::string& id,
           builder::DebugRequest request);

}  // namespace cbuild::cli
