// The simple commands of a shell script, for checks that look for a word.
//
// Quotes and escapes are taken off, operators and line ends part commands.
// Nothing is expanded and nothing nests: what stands in $(...) or a loop comes
// out as commands of its own. Never used to decide what is executed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cbuild::builder {

using ShellCommand = std::vector<std::string>;

std::vector<ShellCommand> shell_commands(std::string_view script);

}  // namespace cbuild::builder
