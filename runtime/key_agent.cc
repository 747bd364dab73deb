#include "runtime/key_agent.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/error.h"
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

// Starts `argv` in `directory` with these three descriptors and nothing of our
// environment but PATH and where the agent is.
pid_t spawn(const std::vector<std::string>& argv, const std::string& directory,
            int in, int out, int err) {
  SpawnActions actions;
  ::posix_spawn_file_actions_addchdir_np(actions.get(), directory.c_str());
  ::posix_spawn_file_actions_adddup2(actions.get(), in, 0);
  ::posix_spawn_file_actions_adddup2(actions.get(), out, 1);
  ::posix_spawn_file_actions_adddup2(actions.get(), err, 2);
  std::vector<char*> words;
  for (const std::string& word : argv)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const char* path = std::getenv("PATH");
  std::string variables[] = {
      "SSH_AUTH_SOCK=agent", "SSH_ASKPASS_REQUIRE=never",
      std::string("PATH=") + (path != nullptr ? path : "/usr/bin:/bin")};
  char* environment[] = {variables[0].data(), variables[1].data(),
                         variables[2].data(), nullptr};
  pid_t pid;
  // A session of its own: Ctrl-C is for cbuild, and see Guard.
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  const int code = ::posix_spawnp(&pid, words[0], actions.get(), &attributes,
                                  words.data(), environment);
  ::posix_spawnattr_destroy(&attributes);
  if (code == ENOENT)
    throw Error("--ssh with key files needs " + argv[0] +
                " of OpenSSH, which is not installed");
  if (code != 0) throw SystemError(code, "start", argv[0]);
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
  const Fd null = open_path("/dev/null", O_RDWR);
  const pid_t pid = spawn({"ssh-agent", "-D", "-a", "agent"}, directory_.path(),
                          null.get(), null.get(), null.get());
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
  const Fd in = open_path(key, O_RDONLY);
  const Fd null = open_path("/dev/null", O_RDWR);
  int ends[2];
  check(::pipe2(ends, O_CLOEXEC), "pipe2", "");
  const Fd said(ends[0]);
  Fd say(ends[1]);
  const pid_t pid = spawn({"ssh-add", "-q", "-"}, directory_.path(), in.get(),
                          null.get(), say.get());
  say.close();
  const std::string text = read_all(said.get(), "ssh-add");
  int status = 0;
  while (::waitpid(pid, &status, 0) == -1 && errno == EINTR) {
  }
  if (status != 0)
    throw Error(
        "ssh key " + key + ": " +
        (text.empty() ? "ssh-add does not take it" : std::string(trim(text))));
}

}  // namespace cbuild::runtime
