#include "registry/credential_helper.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "registry/errors.h"

namespace cbuild::registry {
namespace {

// What docker-credential-helpers prints where it has no entry.
constexpr std::string_view kNotFound = "credentials not found";

// The input as a file and not a pipe: a program that ends without reading it
// cannot kill us with SIGPIPE.
Fd input_file(const std::string& input) {
  Fd file(check(::memfd_create("credential", MFD_CLOEXEC), "memfd_create", ""));
  write_all(file.get(), input, "credential helper's input");
  check(::lseek(file.get(), 0, SEEK_SET), "lseek", "");
  return file;
}

struct SpawnActions {
  SpawnActions() { ::posix_spawn_file_actions_init(&actions); }
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  posix_spawn_file_actions_t actions;
};

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) == -1)
    if (errno != EINTR) throw_system_error("waitpid", "credential helper");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

void CredentialHelper::fail(const char* verb, const std::string& why) const {
  throw CredentialsError(program_ + " " + verb + ": " + why);
}

CredentialHelper::Output CredentialHelper::run(const char* verb,
                                               const std::string& input) const {
  const Fd in = input_file(input);
  int ends[2];
  check(::pipe2(ends, O_CLOEXEC), "pipe2", "");
  const Fd reading(ends[0]);
  Fd writing(ends[1]);

  SpawnActions spawn;
  ::posix_spawn_file_actions_adddup2(&spawn.actions, in.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&spawn.actions, writing.get(),
                                     STDOUT_FILENO);
  const std::string verb_text(verb);
  char* const argv[] = {const_cast<char*>(program_.c_str()),
                        const_cast<char*>(verb_text.c_str()), nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, program_.c_str(), &spawn.actions,
                                   nullptr, argv, ::environ);
  if (error == ENOENT) fail(verb, "no such program in $PATH");
  if (error != 0) fail(verb, std::strerror(error));
  writing = Fd();

  Output output;
  std::exception_ptr failure;
  try {
    output.text = read_all(reading.get(), program_);
  } catch (...) {
    failure = std::current_exception();  // the child is still to be waited for
  }
  output.exit_code = wait_for(pid);
  if (failure) std::rethrow_exception(failure);
  output.text = trim(output.text);
  return output;
}

std::optional<CredentialHelper::Entry> CredentialHelper::get(
    const std::string& server) const {
  const Output output = run("get", server);
  if (output.exit_code != 0) {
    if (output.text.find(kNotFound) != std::string::npos) return std::nullopt;
    fail("get", output.text.empty()
                    ? "exit code " + std::to_string(output.exit_code)
                    : output.text);
  }
  const nlohmann::json answer =
      nlohmann::json::parse(output.text, nullptr, false);
  if (!answer.is_object()) fail("get", "its answer is not a JSON object");
  try {
    return Entry{answer.value("Username", ""), answer.value("Secret", "")};
  } catch (const nlohmann::json::exception&) {
    fail("get", "Username and Secret in its answer are not strings");
  }
}

void CredentialHelper::store(const std::string& server,
                             const Entry& entry) const {
  const nlohmann::ordered_json input = {{"ServerURL", server},
                                        {"Username", entry.username},
                                        {"Secret", entry.secret}};
  const Output output =
      run("store",
          input.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  if (output.exit_code != 0)
    fail("store", output.text.empty()
                      ? "exit code " + std::to_string(output.exit_code)
                      : output.text);
}

bool CredentialHelper::erase(const std::string& server) const {
  const Output output = run("erase", server);
  if (output.exit_code == 0) return true;
  if (output.text.find(kNotFound) != std::string::npos) return false;
  fail("erase", output.text.empty()
                    ? "exit code " + std::to_string(output.exit_code)
                    : output.text);
}

}  // namespace cbuild::registry
