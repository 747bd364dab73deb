// What starts a program: RUN, CMD, ENTRYPOINT, SHELL.
#include <algorithm>

#include "base/text.h"
#include "parser/flags.h"
#include "parser/mount.h"
#include "parser/typed.h"

namespace cbuild::parser {
namespace {

Command command_of(const Typing& typing) {
  Command command;
  command.shell = !typing.split.json;
  for (const Argument& argument : typing.arguments())
    command.argv.push_back(argument.text);
  // A bare `RUN` gives the shell an empty command.
  if (command.shell && command.argv.empty()) command.argv.emplace_back();
  return command;
}

// Runs `check`; what it says is said of `span`.
template <typename Check>
void checked(const Span& span, Check&& check) {
  try {
    check();
  } catch (const Error& e) {
    throw SyntaxError({{e.what(), span, {}}});
  }
}

std::string mode_of(const FlagSet& flags, const char* name,
                    const std::vector<std::string>& known, const char* before,
                    const char* after) {
  if (!flags.given(name)) return {};
  const std::string mode = flags.words(name)[0].raw;
  if (std::find(known.begin(), known.end(), mode) == known.end())
    throw SyntaxError(
        {{before + go_quote(mode) + after, flags.span(name), {}}});
  return mode;
}

}  // namespace

Node typed_run(const Typing& typing) {
  FlagSet flags(typing.line(), typing.split);
  flags.list("mount");
  flags.list("device");
  flags.text("network");
  flags.text("security");
  flags.check();

  Run run;
  run.command = command_of(typing);
  run.heredocs = typing.raw.heredocs;
  run.devices = flags.words("device");
  for (const Word& device : run.devices)
    checked(device.span, [&] { parse_run_device(device.raw); });
  run.mounts = flags.words("mount");
  for (const Word& mount : run.mounts)
    checked(mount.span, [&] { parse_run_mount(mount.raw, nullptr); });
  run.network = mode_of(flags, "network", {"default", "none", "host"},
                        "invalid network mode ", "");
  run.security = mode_of(flags, "security", {"sandbox", "insecure"},
                         "security ", " is not valid");
  return run;
}

Node typed_cmd(const Typing& typing) {
  typing.need_no_flags();
  return Cmd{command_of(typing)};
}

Node typed_entrypoint(const Typing& typing) {
  typing.need_no_flags();
  return Entrypoint{command_of(typing)};
}

Node typed_shell(const Typing& typing) {
  typing.need_no_flags();
  typing.need_arguments();
  if (!typing.split.json)
    throw Error("SHELL requires the arguments to be in JSON form");
  return Shell{command_of(typing).argv};
}

}  // namespace cbuild::parser
