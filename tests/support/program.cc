#include "tests/support/program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "base/dir.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"

namespace cbuild::test {
namespace {

constexpr auto kStartTimeout = std::chrono::seconds(20);

// The child goes with us, also where the test is killed.
pid_t start(const std::vector<std::string>& argv, int in, int out) {
  std::vector<char*> words;
  for (const std::string& word : argv)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t pid = check(::fork(), "fork", argv[0]);
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  ::execvp(words[0], words.data());
  ::perror(words[0]);
  ::_exit(127);
}

Fd memory_file(const std::string& content) {
  Fd file(check(::memfd_create("input", MFD_CLOEXEC), "memfd_create", ""));
  write_all(file.get(), content, "input");
  check(::lseek(file.get(), 0, SEEK_SET), "lseek", "");
  return file;
}

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

void set_variable(const std::string& name,
                  const std::optional<std::string>& value) {
  if (value)
    ::setenv(name.c_str(), value->c_str(), 1);
  else
    ::unsetenv(name.c_str());
}

}  // namespace

bool has_program(const std::string& name) {
  for (const std::string& directory : split(variable("PATH").value_or(""), ':'))
    if (::access((directory + "/" + name).c_str(), X_OK) == 0) return true;
  return false;
}

Finished run_program(const std::vector<std::string>& argv,
                     const std::string& input) {
  const Fd in = memory_file(input);
  const Fd out = memory_file("");
  const pid_t pid = start(argv, in.get(), out.get());
  int status = 0;
  while (::waitpid(pid, &status, 0) == -1 && errno == EINTR) {
  }
  check(::lseek(out.get(), 0, SEEK_SET), "lseek", "");
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          read_all(out.get(), argv[0])};
}

Server::Server(const std::vector<std::string>& argv, std::string log_path)
    : log_path_(std::move(log_path)) {
  const Fd in = open_path("/dev/null", O_RDONLY);
  const Fd out =
      open_path(log_path_, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
  pid_ = start(argv, in.get(), out.get());
}

Server::~Server() {
  if (pid_ == -1) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) == -1 && errno == EINTR) {
  }
}

bool Server::running() {
  if (pid_ == -1) return false;
  if (::waitpid(pid_, nullptr, WNOHANG) != pid_) return true;
  pid_ = -1;
  return false;
}

std::string Server::log() const { return read_file(log_path_).value_or(""); }

std::string Server::wait_for(const std::string& before, const std::string& of) {
  const auto end = std::chrono::steady_clock::now() + kStartTimeout;
  for (;;) {
    const bool alive = running();
    const std::string text = log();
    const std::size_t at = text.find(before);
    if (at != std::string::npos) {
      const std::size_t from = at + before.size();
      const std::size_t to = text.find_first_not_of(of, from);
      if (to != std::string::npos) return text.substr(from, to - from);
    }
    if (!alive || std::chrono::steady_clock::now() > end)
      throw Error("no \"" + before + "\" from the server:\n" + text);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

Environment::Environment(
    const std::map<std::string, std::optional<std::string>>& variables) {
  for (const auto& [name, value] : variables) {
    old_[name] = variable(name);
    set_variable(name, value);
  }
}

Environment::~Environment() {
  for (const auto& [name, value] : old_) set_variable(name, value);
}

}  // namespace cbuild::test
