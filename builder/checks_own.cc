#include "builder/checks_own.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace cbuild::builder {
namespace {

// As the shell would, as far as the build's environment goes.
std::string expanded(const std::string& word, const parser::Lookup& lookup) {
  try {
    return parser::expand(word, lookup, {.skip_unset = true}).text;
  } catch (const parser::ExpandError&) {
    return word;
  }
}

std::string absolute(const std::string& path, const std::string& directory) {
  return clean_path(path.starts_with('/') ? path : directory + "/" + path);
}

// Is `path` the directory `above`, or in it?
bool is_within(const std::string& path, const std::string& above) {
  return above == "/" || path == above || path.starts_with(above + "/");
}

// The part of a path before its first wildcard, at a slash.
std::string before_wildcard(const std::string& path) {
  const std::size_t wildcard = path.find_first_of("*?[");
  if (wildcard == std::string::npos) return path;
  const std::size_t slash = path.rfind('/', wildcard);
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Follows `cd DIR`.
void follow(const ShellCommand& command, const parser::Lookup& lookup,
            std::string& directory) {
  if (command.size() == 2 && command[0] == "cd")
    directory = absolute(expanded(command[1], lookup), directory);
}

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// A chown, chgrp or chmod, taken apart.
struct Change {
  std::string tool;
  bool recursive = false;
  std::string to;                  // owner or mode
  std::vector<std::string> paths;  // absolute, may hold wildcards
};

std::optional<Change> change_of(const ShellCommand& command,
                                const std::string& directory,
                                const parser::Lookup& lookup) {
  std::size_t i = 0;
  while (i < command.size() && command[i] == "sudo") ++i;
  if (i == command.size()) return std::nullopt;
  Change change{base_name(command[i]), false, "", {}};
  if (change.tool != "chown" && change.tool != "chgrp" &&
      change.tool != "chmod")
    return std::nullopt;
  for (++i; i < command.size(); ++i) {
    const std::string& word = command[i];
    // A mode may begin with a dash: chmod -x.
    const bool flag = word.starts_with("--") ||
                      (word.size() > 1 && word[0] == '-' &&
                       word.find_first_not_of("RvcfhHLP", 1) == word.npos);
    if (flag)
      change.recursive |= word == "--recursive" ||
                          (word[1] != '-' && word.find('R') != word.npos);
    else if (change.to.empty())
      change.to = word;
    else
      change.paths.push_back(absolute(expanded(word, lookup), directory));
  }
  return change;
}

bool touches(const Change& change, const std::string& path,
             const Brought& brought) {
  const std::string fixed = before_wildcard(path);
  const auto in = [&](const std::string& place) {
    return change.recursive ? is_within(place, path) || is_within(fixed, place)
                            : fixed != path && is_within(fixed, place);
  };
  const auto& files = brought.files;
  return std::any_of(brought.paths.begin(), brought.paths.end(), in) ||
         std::find(files.begin(), files.end(), path) != files.end();
}

// The first words of an instruction.
std::string shortened(const std::string& line) {
  constexpr std::size_t width = 60;
  return line.size() <= width ? line : line.substr(0, width - 3) + "...";
}

// The COPYs and ADDs it touches; without any the last RUN that may have written
// there, where it changes whole directories.
std::vector<const Brought*> touched(const Change& change,
                                    const std::vector<Brought>& earlier) {
  std::vector<const Brought*> copies;
  const Brought* run = nullptr;
  for (const Brought& brought : earlier) {
    const bool hit = std::any_of(change.paths.begin(), change.paths.end(),
                                 [&](const std::string& path) {
                                   return touches(change, path, brought);
                                 });
    if (hit && brought.copy) copies.push_back(&brought);
    if (hit && !brought.copy && change.recursive) run = &brought;
  }
  if (copies.empty() && run != nullptr) return {run};
  return copies;
}

std::string advice(const Change& change, const Brought& brought) {
  if (!brought.copy) return "do it in that RUN";
  const std::string tool =
      to_upper(brought.line.substr(0, 3)) == "ADD" ? "ADD" : "COPY";
  if (change.tool == "chmod") return "use " + tool + " --chmod=" + change.to;
  return "use " + tool + " --chown=" + (change.tool == "chgrp" ? ":" : "") +
         change.to;
}

// `name` between what cannot be part of a name.
bool names(std::string_view text, std::string_view name) {
  const auto part = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  for (std::size_t at = text.find(name); at != text.npos;
       at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    if ((at == 0 || !part(text[at - 1])) &&
        (end == text.size() || !part(text[end])))
      return true;
  }
  return false;
}

bool names(const parser::Instruction& instruction, std::string_view name) {
  if (names(instruction.original, name)) return true;
  const auto* run = std::get_if<parser::Run>(&instruction.node);
  return run != nullptr &&
         std::any_of(run->heredocs.begin(), run->heredocs.end(),
                     [&](const parser::Heredoc& heredoc) {
                       return names(heredoc.content, name);
                     });
}

void check_arg(const std::vector<StageCommand>& commands, std::size_t at,
               const std::string& name, Checks& checks) {
  std::size_t strangers = 0;
  std::size_t user = at + 1;
  for (; user < commands.size(); ++user) {
    const parser::Instruction& instruction = commands[user].instruction;
    if (names(instruction, name)) break;
    strangers += std::holds_alternative<parser::Run>(instruction.node);
  }
  if (strangers == 0) return;
  const std::string advice =
      user == commands.size()
          ? "nothing below names it"
          : "move it down, above '" +
                shortened(commands[user].instruction.original) + "'";
  checks.report("ArgInvalidatesOtherSteps",
                "ARG " + name + " makes " + std::to_string(strangers) +
                    (strangers == 1 ? " RUN run" : " RUNs run") +
                    " again that never " +
                    (strangers == 1 ? "names it: " : "name it: ") + advice,
                commands[at].instruction.span);
}

}  // namespace

Brought brought_by_copy(const std::vector<std::string>& sources,
                        const std::string& destination) {
  Brought brought;
  brought.copy = true;
  brought.paths = {clean_path(destination)};
  for (const std::string& source : sources) {
    const std::string name = base_name(source);
    if (destination.ends_with('/'))
      brought.files.push_back(clean_path(destination + "/" + name));
    else if (name.find('.', 1) != name.npos)
      brought.files.push_back(clean_path(destination));
  }
  return brought;
}

Brought brought_by_run(const std::vector<ShellCommand>& commands,
                       std::string directory, const parser::Lookup& lookup) {
  // They make directories at most, or write elsewhere.
  constexpr std::array<std::string_view, 15> idle = {
      "mkdir", "chown", "chmod",   "chgrp",    "cd",
      "rm",    "ls",    "test",    "useradd",  "adduser",
      "apk",   "apt",   "apt-get", "groupadd", "addgroup"};
  Brought brought;
  for (const ShellCommand& command : commands) {
    follow(command, lookup, directory);
    if (std::find(idle.begin(), idle.end(), command.front()) != idle.end())
      continue;
    if (directory != "/") brought.paths.push_back(directory);
    for (std::size_t i = 1; i < command.size(); ++i) {
      const std::string word = expanded(command[i], lookup);
      if (word.size() > 1 && word[0] == '/')
        brought.paths.push_back(clean_path(word));
    }
  }
  return brought;
}

std::vector<std::string> stored_twice(const std::vector<ShellCommand>& commands,
                                      std::string directory,
                                      const parser::Lookup& lookup,
                                      const std::vector<Brought>& earlier) {
  std::vector<std::string> messages;
  for (const ShellCommand& command : commands) {
    follow(command, lookup, directory);
    const auto change = change_of(command, directory, lookup);
    if (!change) continue;
    const std::vector<const Brought*> hit = touched(*change, earlier);
    if (hit.empty()) continue;
    std::vector<std::string> lines;
    for (const Brought* brought : hit)
      lines.push_back("'" + shortened(brought->line) + "'");
    messages.push_back("'" + shortened(join(command, " ")) +
                       "' stores the files of " + join(lines, ", ") +
                       " a second time: " + advice(*change, *hit.front()));
  }
  return messages;
}

void check_args(const StageNode& stage, const std::vector<std::string>& fixed,
                Checks& checks) {
  const auto& commands = stage.commands;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const auto* arg = std::get_if<parser::Arg>(&commands[i].instruction.node);
    if (arg == nullptr || commands[i].onbuild) continue;
    checks.enter(commands[i].instruction.comments);
    for (const parser::ArgDeclaration& declaration : arg->declarations) {
      const std::string& name = declaration.name.raw;
      if (!checks.speaks(*find_rule("ArgInvalidatesOtherSteps"))) break;
      if (std::find(fixed.begin(), fixed.end(), name) == fixed.end())
        check_arg(commands, i, name, checks);
    }
    checks.leave();
  }
}

}  // namespace cbuild::builder
