// The texts of --help, made from the tables of the commands.
#pragma once

#include <string>

#include "cli/command.h"

namespace cbuild::cli {

// What `cbuild --help` prints.
std::string program_help();
// What `cbuild COMMAND --help` prints.
std::string command_help(const Command& command);

}  // namespace cbuild::cli
