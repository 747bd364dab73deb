// cbuild: builds images from Dockerfiles. The only catch of an Error, and the
// only table of exit codes (docs/ARCHITECTURE.md).
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "builder/build.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "parser/source.h"
#include "registry/errors.h"
#include "registry/reference.h"
#include "runtime/runner.h"
#include "store/blob_store.h"

namespace cbuild::cli {
namespace {

template <typename Class>
bool is(const Error& error) {
  return dynamic_cast<const Class*>(&error) != nullptr;
}

bool is_any(const Error&) { return true; }

bool is_disk_full(const Error& error) {
  const auto* system = dynamic_cast<const SystemError*>(&error);
  return system != nullptr &&
         (system->code() == ENOSPC || system->code() == EDQUOT ||
          system->code() == EFBIG);
}

struct ExitCode {
  bool (*applies)(const Error&);
  int code;
  const char* kind;
};

// The first that applies.
constexpr ExitCode kExitCodes[] = {
    {is<UsageError>, 2, "usage"},
    {is<registry::ReferenceError>, 2, "image name"},
    {is<parser::SyntaxError>, 2, "Dockerfile"},
    {is<builder::RunFailed>, 3, "RUN"},
    {is<builder::UnexpectedMiss>, 8, "not cached"},
    {is<registry::CredentialsError>, 4, "credentials"},
    {is<registry::RegistryError>, 5, "registry"},
    {is<store::DigestMismatch>, 5, "digest"},
    {is_disk_full, 6, "disk"},
    {is<runtime::IsolationError>, 7, "isolation"},
    {is<Interrupted>, 130, "interrupted"},
    {is_any, 1, "other"},
};

const ExitCode& exit_code(const Error& error) {
  for (const ExitCode& row : kExitCodes)
    if (row.applies(error)) return row;
  std::terminate();  // the last row takes everything
}

// "Dockerfile:7:12: ..." (parser::render)
bool has_place(const std::string& text) {
  const std::string head = text.substr(0, text.find(": "));
  const std::size_t column = head.rfind(':');
  if (column == std::string::npos || column == 0) return false;
  const std::size_t line = head.rfind(':', column - 1);
  return line != std::string::npos && parse_number(head.substr(column + 1)) &&
         parse_number(head.substr(line + 1, column - line - 1));
}

void report(const Error& error) {
  std::string text = error.what();
  // What has a place in a Dockerfile comes as compilers print it.
  if (!has_place(text))
    text = "cbuild: " + text;
  if (is_disk_full(error)) text += " (the disk is full)";
  print_error(text);
}

bool wants_debug(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments)
    if (argument == "--debug" || argument == "-D") return true;
  return false;
}

int run(const std::vector<std::string>& arguments) {
  const auto start = std::chrono::steady_clock::now();
  int code = 0;
  const char* kind = "none";
  try {
    dispatch(arguments, install_signal_handlers());
  } catch (const ExitStatus& end) {
    code = end.code();
    kind = "findings";
  } catch (const Error& error) {
    report(error);
    code = exit_code(error).code;
    kind = exit_code(error).kind;
  } catch (const std::exception& error) {
    print_error("cbuild: internal error: " + std::string(error.what()));
    code = 1;
    kind = "internal";
  }
  if (wants_debug(arguments)) {
    const std::chrono::duration<double, std::milli> took =
        std::chrono::steady_clock::now() - start;
    char line[96];
    std::snprintf(line, sizeof line,
                  "cbuild: debug: %.1f ms, exit status %d, failure: %s",
                  took.count(), code, kind);
    print_error(line);
  }
  return code;
}

}  // namespace
}  // namespace cbuild::cli

int main(int argc, char** argv) {
  return cbuild::cli::run({argv + (argc > 0 ? 1 : 0), argv + argc});
}
