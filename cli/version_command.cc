// cbuild version and cbuild help.
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/output.h"
#include "store/platform.h"

namespace cbuild::cli {
namespace {

constexpr Flag kVersionFlags[] = {
    {"Options", "--format", Takes::one, "FORMAT", "json, or nothing for text"},
};
constexpr FlagTable kVersionTable = {{kVersionFlags, kGlobalFlags}};
constexpr FlagTable kHelpTable = {{kGlobalFlags}};

void run_version(Session& session) {
  const std::string format = session.args().value("format");
  const std::string platform = store::host_platform().text();
  if (format == "json") {
    const nlohmann::ordered_json json = {{"Version", CBUILD_VERSION},
                                         {"Platform", platform},
                                         {"Compiler", __VERSION__}};
    print(json.dump() + "\n");
  } else if (format.empty()) {
    print("cbuild " CBUILD_VERSION " (" + platform + ")\n");
  } else {
    throw UsageError("invalid format " + go_quote(format) + ": want json");
  }
}

void run_help(Session& session) {
  const std::vector<std::string>& words = session.args().words();
  if (words.empty()) {
    print(program_help());
    return;
  }
  const std::string name = join(words, " ");
  const Command* command = find_command(name);
  if (command == nullptr) {
    std::vector<std::string> names;
    for (const Command* known : commands()) names.emplace_back(known->name);
    throw UsageError("no such command: " + name + did_you_mean(name, names));
  }
  print(command_help(*command));
}

}  // namespace

const Command kVersionCommand = {
    "version", "[OPTIONS]", "Print the version", "", kVersionTable,
    0,         0,           run_version,
};

const Command kHelpCommand = {
    "help", "[COMMAND]", "Print help", "", kHelpTable, 0, 2, run_help,
};

}  // namespace cbuild::cli
