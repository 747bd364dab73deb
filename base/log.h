// Lines for the person at the terminal that belong to no build step.
//
// A build's own output goes through builder/progress.h instead.
#pragma once

#include <string_view>

namespace cbuild {

// "cbuild: warning: <text>" on standard error, one write(2) per line.
void warn(std::string_view text);

}  // namespace cbuild
