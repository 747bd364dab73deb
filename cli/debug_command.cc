// cbuild debug: look around where a RUN failed.
#include "cli/debug_command.h"

#include <unistd.h>

#include <optional>

#include "base/log.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/run_flags.h"
#include "runtime/terminal.h"

namespace cbuild::cli {
namespace {

constexpr Flag kFlags[] = {
    {"Options", "--list", Takes::nothing, "", "Only list what is kept"},
    {"Options", "--remove", Takes::nothing, "", "Remove it"},
    {"Options", "--secret", Takes::many, "id=ID[,src=FILE|,env=NAME]",
     "Secrets are not kept: give them again"},
    {"Options", "--ssh", Takes::many, "default|ID[=SOCKET|KEY,...]",
     "Agent or keys, again"},
};
constexpr FlagTable kTable = {{kFlags, kGlobalFlags}};

void list(store::Store& store) {
  for (const builder::FailedRun& run : builder::failed_runs(store))
    print(run.id + "  " + rfc3339(run.time) + "  " + run.title + "  (" +
          run.reason + ")\n");
}

void run_debug(Session& session) {
  const Arguments& args = session.args();
  store::Store& store = session.store();
  const store::Lease lease = store.lease();
  if (args.has("list")) return list(store);
  const auto& words = args.words();
  const std::string id = words.empty() ? "" : words.front();
  if (args.has("remove"))
    return builder::remove_failed(store, builder::find_failed(store, id).id);
  builder::BuildRequest given;
  read_secrets(args, given);
  read_ssh(args, given);
  builder::DebugRequest request;
  request.secrets = given.secrets;
  request.ssh = given.ssh;
  if (words.size() > 1) request.command.assign(words.begin() + 1, words.end());
  debug(session, id, std::move(request));
}

}  // namespace

void debug(Session& session, const std::string& id,
           builder::DebugRequest request) {
  store::Store& store = session.store();
  const store::Lease lease = store.lease();
  const builder::FailedRun run = builder::find_failed(store, id);
  store.hold("failed/" + run.id);
  runtime::RunnerOptions options;
  options.scratch = [&store] { return store.temp_dir("view-"); };
  const auto runner = runtime::make_runner(
      session.isolation(), store.root() + "/locks", std::move(options));
  const bool interactive =
      ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
  print_error("in " + run.title + " (" + run.reason + ")");
  std::optional<runtime::Terminal> terminal;
  if (interactive) {
    terminal.emplace(STDIN_FILENO);
    request.terminal = terminal->command_end();
  } else {
    request.standard_input = STDIN_FILENO;
  }
  const runtime::ExitStatus status = builder::debug_failed(
      store, *runner, run, request,
      [](runtime::Stream stream, std::string_view text) {
        const bool out = stream == runtime::Stream::out;
        write_all(out ? STDOUT_FILENO : STDERR_FILENO, text, "output");
      },
      [](const std::string& text) { warn(text); }, session.stop());
  terminal.reset();
  if (status.code != 0)
    throw builder::RunFailed(
        "the command ended with exit code " + std::to_string(status.code),
        status.code);
}

const Command kDebugCommand = {
    "debug",
    "[OPTIONS] [ID [--] [COMMAND [ARG...]]]",
    "Run a shell or a command where a RUN failed",
    R"(What a failing RUN left is kept with `cbuild build --on-fail=keep`. Without
ID it is the last one; without COMMAND, /bin/sh. Files, environment, user,
directory and mounts are those of the RUN; what is changed stays until it is
removed, or pruned.

Examples:
  cbuild debug
  cbuild debug 3f1c -- tail -n 20 /src/config.log
)",
    kTable,
    0,
    1000,
    run_debug,
};

}  // namespace cbuild::cli
