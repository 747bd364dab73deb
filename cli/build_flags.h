// The flags of `cbuild build`, and what they ask for.
#pragma once

#include "builder/build.h"
#include "cli/options.h"

namespace cbuild::cli {

extern const FlagTable kBuildFlags;

// Reads the values of all flags and the context word. Throws UsageError with
// docker's words where a value is wrong. Reads standard input for `-f -`.
builder::BuildRequest build_request(const Arguments& arguments);

}  // namespace cbuild::cli
