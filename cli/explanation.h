// How the steps of a build ended, as text: `build --explain` and `why`.
#pragma once

#include <string>
#include <vector>

#include "builder/build.h"

namespace cbuild::cli {

// A line a step: CACHED, REBUILT, SKIPPED or FAILED, its name, and under one
// that ran the reason; with `all` every one of them.
std::string explanation(const std::vector<builder::StepReport>& steps,
                        bool all);

}  // namespace cbuild::cli
