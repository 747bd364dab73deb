#include "runtime/key_agent.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/error.h"
#include "base/process.h"
#include "base/text.h"
#include "runtime/socket_forward.h"

namespace cbuild::runtime {
namespace {

class SpawnActions {
 public:
  SpawnActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

// Nothing of our environment but PATH, and where the agent is.
std::vector<std::string> agent_environment() {
  const char* path = std::getenv("PATH");
  return {"SSH_AUTH_SOCK=agent", "SSH_ASKPASS_REQUIRE=never",
          std::string("PATH=") + (path != nullptr ? path : "/usr/bin:/bin")};
}

// Goes on running, so not by run_program(), and in a session of its own: Ctrl-C
// is for cbuild, and see Guard.
pid_t spawn_agent(const std::string& directory) {
  const Fd null = open_path("/dev/null", O_RDWR);
  SpawnActions actions;
  ::posix_spawn_file_actions_addchdir_np(actions.get(), directory.c_str());
  for (const int stream : {0, 1, 2})
    ::posix_spawn_file_actions_adddup2(actions.get(), null.get(), stream);
  std::string words[] = {"ssh-agent", "-D", "-a", "agent"};
  char* argv[] = {words[0].data(), words[1].data(), words[2].data(),
                  words[3].data(), nullptr};
  std::vector<std::string> variables = agent_environment();
  std::vector<char*> environment;
  for (std::string& variable : variables)
    environment.push_back(variable.data());
  environment.push_back(nullptr);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t pid;
  const int code = ::posix_spawnp(&pid, argv[0], actions.get(), &attributes,
                                  argv, environment.data());
  ::posix_spawnattr_destroy(&attributes);
  if (code == ENOENT)
    throw Error(
        "--ssh with key files needs ssh-agent of OpenSSH, which is not "
        "installed");
  if (code != 0) throw SystemError(code, "start", "ssh-agent");
  return pid;
}

}  // namespace

KeyAgent::KeyAgent(TempDir directory, const std::vector<std::string>& keys)
    : directory_(std::move(directory)) {
  start();
  for (const std::string& key : keys) add(key);
}

KeyAgent::Process::~Process() {
  if (!pidfd) return;
  ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
  siginfo_t info;
  while (::waitid(static_cast<idtype_t>(P_PIDFD),
                  static_cast<id_t>(pidfd.get()), &info, WEXITED) == -1 &&
         errno == EINTR) {
  }
}

void KeyAgent::start() {
  const pid_t pid = spawn_agent(directory_.path());
  agent_.pidfd = Fd(check(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)),
                          "pidfd_open", "ssh-agent"));
  agent_.guarded = Guard::of_process().claim();
  agent_.guarded.set(pid);
  for (;;) {
    try {
      connect_to(socket());
      return;
    } catch (const SystemError&) {
      pollfd ended = {agent_.pidfd.get(), POLLIN, 0};
      if (::poll(&ended, 1, 5) == 1) throw Error("ssh-agent does not start");
    }
  }
}

// By standard input: ssh-add refuses a file that others may read, which in CI
// is how secrets are often mounted.
void KeyAgent::add(const std::string& key) {
  const std::optional<std::string> content = read_file(key);
  if (!content) throw Error("ssh key " + key + ": no such file");
  const ProgramResult result = run_program({.argv = {"ssh-add", "-q", "-"},
                                            .environment = agent_environment(),
                                            .directory = directory_.path(),
                                            .input = *content});
  if (result.exit_code != 0)
    throw Error("ssh key " + key + ": " +
                (result.errors.empty() ? "ssh-add does not take it"
                                       : std::string(trim(result.errors))));
}

}  // namespace cbuild::runtime
