// From words to a command.
#include <sys/stat.h>

#include <algorithm>

#include "base/text.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/output.h"

namespace cbuild::cli {
namespace {

constexpr const Command* kCommands[] = {
    &kBuildCommand,   &kCheckCommand,  &kGraphCommand,  &kContextLsCommand,
    &kPullCommand,    &kPushCommand,   &kImagesCommand, &kHistoryCommand,
    &kInspectCommand, &kTagCommand,    &kRmiCommand,    &kSaveCommand,
    &kLoadCommand,    &kLoginCommand,  &kLogoutCommand, &kPruneCommand,
    &kDuCommand,      &kBuildsCommand, &kWhyCommand,    &kDebugCommand,
    &kCacheCommand,   &kVerifyCommand, &kDoctorCommand, &kVersionCommand,
    &kHelpCommand,
};

struct Alias {
  std::string_view group;
  std::string_view name;
  const Command* command;
};

// docker's other spellings.
constexpr Alias kAliases[] = {
    {"image", "build", &kBuildCommand},     {"image", "ls", &kImagesCommand},
    {"image", "list", &kImagesCommand},     {"image", "rm", &kRmiCommand},
    {"image", "remove", &kRmiCommand},      {"image", "tag", &kTagCommand},
    {"image", "pull", &kPullCommand},       {"image", "push", &kPushCommand},
    {"image", "history", &kHistoryCommand}, {"image", "save", &kSaveCommand},
    {"image", "inspect", &kInspectCommand}, {"image", "load", &kLoadCommand},
    {"builder", "prune", &kPruneCommand},   {"buildx", "prune", &kPruneCommand},
    {"buildx", "du", &kDuCommand},
    {"builder", "build", &kBuildCommand},   {"buildx", "build", &kBuildCommand},
};

// The command line in pieces: flags before the command's name belong to it too.
struct Line {
  const Command* command = nullptr;
  std::vector<std::string> arguments;
};

std::size_t count_leading_globals(const std::vector<std::string>& words) {
  std::size_t i = 0;
  while (i < words.size()) {
    if (words[i] == "--root")
      i += 2;
    else if (words[i].starts_with("--root=") || words[i] == "--debug" ||
             words[i] == "-D")
      i += 1;
    else
      break;
  }
  return std::min(i, words.size());
}

bool exists(const std::string& path) {
  struct stat status;
  return ::lstat(path.c_str(), &status) == 0;
}

// A single word that is no path and nearly a command is taken for a mistyped
// command, not for a build context.
void check_not_mistyped(const std::string& word) {
  if (word.starts_with('-') || exists(word)) return;
  if (word.find_first_of("/.:") != std::string::npos) return;
  std::vector<std::string> names;
  for (const Command* command : kCommands) names.emplace_back(command->name);
  const std::string hint = did_you_mean(word, names);
  throw UsageError("unknown command, and no directory to build: " + word +
                   hint + "\nSee 'cbuild --help'.");
}

Line read_line(const std::vector<std::string>& words) {
  const std::size_t globals = count_leading_globals(words);
  Line line;
  line.arguments.assign(words.begin(),
                        words.begin() + static_cast<std::ptrdiff_t>(globals));
  std::size_t next = globals;
  if (next == words.size()) {
    line.command = &kHelpCommand;
    return line;
  }
  const std::string& word = words[next];
  if (word == "--help" || word == "-h" || word == "--version" || word == "-v") {
    line.command =
        word.find('v') == std::string::npos ? &kHelpCommand : &kVersionCommand;
    ++next;
  } else if (const Command* command = find_command(word)) {
    line.command = command;
    ++next;
  } else if (next + 1 < words.size() &&
             find_command(word + " " + words[next + 1]) != nullptr) {
    line.command = find_command(word + " " + words[next + 1]);
    next += 2;
  } else {
    check_not_mistyped(word);
    line.command = &kBuildCommand;
  }
  line.arguments.insert(line.arguments.end(),
                        words.begin() + static_cast<std::ptrdiff_t>(next),
                        words.end());
  return line;
}

void check_word_count(const Command& command, const Arguments& arguments) {
  const std::size_t count = arguments.words().size();
  if (count >= command.min_words && count <= command.max_words) return;
  std::string want;
  if (command.max_words == 0) {
    want = "accepts no arguments";
  } else if (command.min_words == command.max_words) {
    want = "requires " + std::to_string(command.min_words) +
           (command.min_words == 1 ? " argument" : " arguments");
  } else if (count < command.min_words) {
    want = "requires at least " + std::to_string(command.min_words) +
           (command.min_words == 1 ? " argument" : " arguments");
  } else {
    want = "accepts at most " + std::to_string(command.max_words) +
           (command.max_words == 1 ? " argument" : " arguments");
  }
  throw UsageError("'cbuild " + std::string(command.name) + "' " + want +
                   "\nUsage: cbuild " + command.name + " " + command.usage);
}

}  // namespace

std::span<const Command* const> commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  for (const Command* command : kCommands)
    if (name == command->name) return command;
  for (const Alias& alias : kAliases)
    if (name == std::string(alias.group) + " " + std::string(alias.name))
      return alias.command;
  return nullptr;
}

void dispatch(const std::vector<std::string>& arguments,
              const std::atomic<bool>* stop) {
  Line line = read_line(arguments);
  const Command& command = *line.command;
  Arguments parsed;
  try {
    parsed = parse(command.table, line.arguments);
  } catch (const UsageError& e) {
    throw UsageError(std::string(e.what()) + "\nSee 'cbuild " + command.name +
                     " --help'.");
  }
  if (parsed.has("help")) {
    print(command_help(command));
    return;
  }
  check_word_count(command, parsed);
  Session session(std::move(parsed), stop);
  command.run(session);
}

}  // namespace cbuild::cli
