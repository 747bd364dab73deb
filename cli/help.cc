#include "cli/help.h"

#include <algorithm>

#include "base/text.h"
#include "cli/output.h"

namespace cbuild::cli {
namespace {

constexpr std::size_t kWidth = 80;

// The text in lines of at most `width`, each but the first after `indent`
// blanks.
std::string wrap(std::string_view text, std::size_t indent, std::size_t width) {
  std::string result;
  std::size_t used = 0;
  for (const std::string& word : split(text, ' ')) {
    if (used != 0 && used + 1 + word.size() > width) {
      result += "\n" + std::string(indent, ' ');
      used = 0;
    }
    if (used != 0) {
      result += ' ';
      ++used;
    }
    result += word;
    used += word.size();
  }
  return result;
}

// "-t, --tag NAME", long names in one column whether or not there is a short.
std::string flag_label(const Flag& flag) {
  std::string names = flag.names;
  const std::size_t comma = names.find(',');
  names = comma == std::string::npos ? "    " + names
                                     : names.replace(comma, 1, ", ");
  if (flag.takes == Takes::optional)
    names += std::string("[") + flag.value + "]";
  else if (*flag.value != '\0')
    names += std::string(" ") + flag.value;
  return "  " + names;
}

std::string flags_help(const FlagTable& table) {
  const std::vector<const Flag*> flags = all_flags(table);
  std::size_t column = 0;
  for (const Flag* flag : flags)
    column = std::max(column, flag_label(*flag).size());
  column = std::min<std::size_t>(column + 2, 34);

  std::string text;
  std::string_view group;
  for (const Flag* flag : flags) {
    if (group != flag->group) {
      group = flag->group;
      text += "\n" + std::string(group) + ":\n";
    }
    std::string label = flag_label(*flag);
    if (label.size() + 2 > column)
      label += "\n" + std::string(column, ' ');
    else
      label.resize(column, ' ');
    text += label + wrap(flag->help, column, kWidth - column) + "\n";
  }
  return text;
}

std::string refused_help(const FlagTable& table) {
  if (table.refused.empty()) return "";
  std::string names;
  for (const RefusedFlag& flag : table.refused)
    names += (names.empty() ? "--" : ", --") + long_name(flag.names);
  return "\nKnown to docker or buildx, refused here until they are built:\n  " +
         wrap(names, 2, kWidth - 2) + "\n";
}

constexpr const char* kProgramHead =
    R"(cbuild builds container images from Dockerfiles, without a daemon.

Usage:
  cbuild [build] [OPTIONS] CONTEXT    build an image; the word may be left out
  cbuild COMMAND [OPTIONS] ...
  cbuild COMMAND --help               all options of one command, with examples

Commands:
)";

constexpr const char* kProgramTail = R"(
Everywhere:
  --root DIR       where images and cache are kept
  -D, --debug      say what kind of failure it was, and how long it took
  -h, --help       print help
  -v, --version    print the version

Examples:
  cbuild -t app .                       build ./Dockerfile and call it app
  cbuild -t registry.example/app:1 --push .
  cbuild history app                    what each layer holds
  cbuild save -o app.tar app            an archive for docker load

Exit status:
    0  it worked                        5  a registry or the network failed
    1  anything else, check warned      6  the disk is full
    2  bad usage or Dockerfile          7  commands cannot be isolated here
    3  a RUN failed                   130  interrupted
    4  credentials were refused         8  --expect-cached: a step was not

Environment:
  CBUILD_ROOT          where images and cache are kept
  CBUILD_STORE_MAX     default of build --store-max
  CBUILD_PROGRESS      default of build --progress (also BUILDKIT_PROGRESS)
  NO_COLOR             no colours on a terminal
  DOCKER_CONFIG        directory of config.json, in place of ~/.docker
  DOCKER_AUTH_CONFIG   credentials as JSON, asked before config.json
  SSL_CERT_FILE        CA certificates, in place of the system's
  SOURCE_DATE_EPOCH    given to builds as the build argument of that name

Files:
  /var/lib/cbuild, ~/.local/share/cbuild    images and cache, of root and others:
                                            an OCI image layout that other tools
                                            can read in place
  ~/.docker/config.json                     credentials
  /etc/docker/certs.d/HOST:PORT/*.crt       CA certificates of a registry
)";

}  // namespace

std::string program_help() {
  std::string text = kProgramHead;
  for (const Command* command : commands()) {
    std::string name = "  " + std::string(command->name);
    name.resize(14, ' ');
    text += name + command->summary + "\n";
  }
  return text + kProgramTail;
}

std::string command_help(const Command& command) {
  std::string text = "Usage:  cbuild " + std::string(command.name) + " " +
                     command.usage + "\n\n" + command.summary + "\n";
  text += flags_help(command.table);
  text += refused_help(command.table);
  if (*command.details != '\0') text += "\n" + std::string(command.details);
  return text;
}

}  // namespace cbuild::cli
