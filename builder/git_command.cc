#include "builder/git_command.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/error.h"
#include "base/privileges.h"
#include "base/text.h"
#include "registry/errors.h"

namespace cbuild::builder {
namespace {

constexpr const char* kInherited[] = {
    "PATH",           "HOME",          "SSH_AUTH_SOCK", "GIT_SSH",
    "GIT_SSL_CAINFO", "SSL_CERT_FILE", "SSL_CERT_DIR",  "HTTP_PROXY",
    "HTTPS_PROXY",    "NO_PROXY",      "ALL_PROXY",     "http_proxy",
    "https_proxy",    "no_proxy",      "all_proxy",     "TMPDIR"};

// What git and its helpers say where they were not let in.
constexpr const char* kRefusals[] = {
    "Authentication failed",   "could not read Username",
    "could not read Password", "Permission denied (",
    "returned error: 401",     "returned error: 403"};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// For the shell that git runs it by.
std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

// ssh looks for keys and known hosts in the home directory that passwd has for
// its user id. In a user namespace that is 0 and the home root's, so it is told
// of the user's own.
std::string ssh_command() {
  std::string command = "ssh -o BatchMode=yes";
  const std::string home = variable("HOME");
  if (in_first_user_namespace() || home.empty()) return command;
  const std::string directory = home + "/.ssh/";
  const auto is_there = [&](const char* name) {
    return ::access((directory + name).c_str(), R_OK) == 0;
  };
  if (is_there("config")) command += " -F " + quoted(directory + "config");
  command += " -o " + quoted("UserKnownHostsFile=\"" + directory +
                             "known_hosts\" \"" + directory + "known_hosts2\"");
  for (const char* key :
       {"id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"})
    if (is_there(key))
      command += " -o " + quoted("IdentityFile=\"" + directory + key + "\"");
  return command;
}

// git's last words; the lines before tell how it got there.
std::string reason(const ProgramResult& result) {
  std::string text(trim(result.errors));
  if (text.empty()) return "exit code " + std::to_string(result.exit_code);
  std::string words;
  for (const std::string& line : split(text, '\n'))
    if (line.starts_with("fatal:") || line.starts_with("error:") ||
        line.starts_with("remote:"))
      words += (words.empty() ? "" : "; ") + std::string(trim(line));
  return words.empty() ? text : words;
}

}  // namespace

std::vector<std::string> GitCommand::environment() const {
  std::vector<std::string> list = {"LC_ALL=C",
                                   "GIT_TERMINAL_PROMPT=0",
                                   "GIT_ASKPASS=true",
                                   "GIT_CONFIG_NOSYSTEM=1",
                                   "GIT_CONFIG_GLOBAL=/dev/null",
                                   std::string("GIT_ALLOW_PROTOCOL=") +
                                       (local ? "file" : "http:https:ssh:git")};
  for (const char* name : kInherited)
    if (const std::string value = variable(name); !value.empty())
      list.push_back(std::string(name) + "=" + value);
  const std::string ssh = variable("GIT_SSH_COMMAND");
  if (!ssh.empty())
    list.push_back("GIT_SSH_COMMAND=" + ssh);
  else if (variable("GIT_SSH").empty())
    list.push_back("GIT_SSH_COMMAND=" + ssh_command());
  if (!index_file.empty()) list.push_back("GIT_INDEX_FILE=" + index_file);
  if (!authorization) return list;
  list.push_back("GIT_CONFIG_COUNT=1");
  list.push_back("GIT_CONFIG_KEY_0=http." + authorization->first +
                 ".extraHeader");
  list.push_back("GIT_CONFIG_VALUE_0=Authorization: " + authorization->second);
  return list;
}

ProgramResult GitCommand::execute(
    const std::vector<std::string>& arguments) const {
  Program program;
  program.argv = {"git"};
  for (const char* setting :
       {"gc.auto=0", "advice.detachedHead=false", "init.defaultBranch=master",
        "core.hooksPath=/dev/null", "core.autocrlf=false",
        "safe.directory=*"}) {
    program.argv.push_back("-c");
    program.argv.push_back(setting);
  }
  if (!git_dir.empty()) program.argv.push_back("--git-dir=" + git_dir);
  if (!work_tree.empty()) program.argv.push_back("--work-tree=" + work_tree);
  program.argv.insert(program.argv.end(), arguments.begin(), arguments.end());
  program.environment = environment();
  program.directory = work_tree.empty() ? "/" : work_tree;
  program.umask = 022;  // files are 0644 or 0755, whoever builds
  try {
    return run_program(program, stop_);
  } catch (const SystemError& e) {
    if (e.code() != ENOENT) throw;
    throw registry::RegistryError(
        "no git program in $PATH: it is needed for sources from git", 0, "");
  }
}

std::string GitCommand::run(const std::vector<std::string>& arguments) const {
  ProgramResult result = execute(arguments);
  if (result.exit_code == 0) return std::move(result.output);
  const std::string words = "git " + arguments.front() + ": " + reason(result);
  for (const char* refusal : kRefusals)
    if (result.errors.find(refusal) != std::string::npos)
      throw registry::CredentialsError(words);
  throw registry::RegistryError(words, 0, "");
}

std::optional<std::string> GitCommand::try_run(
    const std::vector<std::string>& arguments) const {
  ProgramResult result = execute(arguments);
  if (result.exit_code != 0) return std::nullopt;
  return std::move(result.output);
}

}  // namespace cbuild::builder
