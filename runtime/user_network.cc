#include "runtime/user_network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>
#include <vector>

#include "base/dir.h"
#include "base/error.h"
#include "base/text.h"
#include "runtime/command.h"
#include "runtime/process.h"

namespace cbuild::runtime {
namespace {

constexpr int kPatience = 10'000;  // milliseconds until it must be up

// Descriptors of the program.
enum : int { kNamespace = 3, kReady = 4, kLife = 5 };

std::vector<std::string> command_of(const std::string& program) {
  const std::string ns = "/proc/self/fd/" + std::to_string(kNamespace);
  const std::string ready = std::to_string(kReady);
  if (program == "slirp4netns")
    return {program,
            "--configure",
            "--mtu=65520",
            "--disable-host-loopback",
            "--enable-sandbox",
            "--enable-seccomp",
            "--ready-fd=" + ready,
            "--exit-fd=" + std::to_string(kLife),
            "--netns-type=path",
            ns,
            "eth0"};
  return {program,
          "--foreground",
          "--quiet",
          "--stderr",
          "--config-net",
          "--ns-ifname",
          "eth0",
          "--no-map-gw",
          "--dns-forward",
          UserNetwork::kNameServer,
          "-t",
          "none",
          "-u",
          "none",
          "-T",
          "none",
          "-U",
          "none",
          "--pid",
          "/proc/self/fd/" + ready,
          "--netns-only",
          "--netns",
          ns};
}

// Above the numbers that the program gets them as.
Fd out_of_the_way(int fd) {
  return Fd(check(::fcntl(fd, F_DUPFD_CLOEXEC, 16), "fcntl", "descriptor"));
}

// The last line that it said, without its own name.
std::string complaint(int errors, const std::string& program) {
  check(::lseek(errors, 0, SEEK_SET), "lseek", "");
  const std::string text = read_all(errors, program);
  std::string last = "it did not come up";
  for (const std::string& line : split(text, '\n'))
    if (const auto words = trim(line); !words.empty()) last = words;
  return program + ": " + last;
}

// Actions that give the program its descriptors and no other.
class Actions {
 public:
  Actions() { ::posix_spawn_file_actions_init(&actions_); }
  ~Actions() { ::posix_spawn_file_actions_destroy(&actions_); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;

  void give(int fd, int as) {
    ::posix_spawn_file_actions_adddup2(&actions_, fd, as);
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

// A session of its own: it outlives no signal to our group unseen, and guard.h
// kills leaders of sessions only.
int spawn(const std::string& program, const Actions& actions) {
  std::vector<std::string> words = command_of(program);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  pid_t pid = -1;
  const int code =
      ::posix_spawnp(&pid, program.c_str(), actions.get(), &attributes,
                     c_strings(words).data(), ::environ);
  ::posix_spawnattr_destroy(&attributes);
  if (code == ENOENT) throw Error(program + ": not installed");
  if (code != 0) throw SystemError(code, "run", program);
  return pid;
}

}  // namespace

UserNetwork::UserNetwork(int ns) {
  std::string why;
  for (const char* program : {"slirp4netns", "pasta"}) {
    try {
      start(program, ns);
      return;
    } catch (const Error& e) {
      why += (why.empty() ? "" : "; ") + std::string(e.what());
    }
  }
  throw Error(why);
}

void UserNetwork::start(const std::string& program, int ns) {
  Pipe ready = make_output_pipe();
  Pipe life = make_pipe();
  const Fd nothing = open_path("/dev/null", O_RDWR);
  const Fd errors(
      check(::memfd_create("errors", MFD_CLOEXEC), "memfd_create", ""));
  const std::pair<int, int> given[] = {
      {nothing.get(), 0},          {nothing.get(), 1},
      {errors.get(), 2},           {ns, kNamespace},
      {ready.write.get(), kReady}, {life.read.get(), kLife}};
  Actions actions;
  std::vector<Fd> copies;
  for (const auto& [fd, as] : given) {
    copies.push_back(out_of_the_way(fd));
    actions.give(copies.back().get(), as);
  }
  Guard::Slot slot = Guard::of_process().claim();
  pid_ = spawn(program, actions);
  slot.set(pid_);
  guarded_ = std::move(slot);
  life_ = std::move(life.write);
  copies.clear();
  ready.write.close();

  pollfd up = {ready.read.get(), POLLIN, 0};
  char sign = 0;
  while (::poll(&up, 1, kPatience) == -1 && errno == EINTR) {
  }
  if (::read(ready.read.get(), &sign, 1) == 1) {
    program_ = program;
    return;
  }
  end();
  throw Error(complaint(errors.get(), program));
}

void UserNetwork::end() noexcept {
  if (pid_ == -1) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) == -1 && errno == EINTR) {
  }
  pid_ = -1;
  guarded_.clear();
}

UserNetwork::~UserNetwork() { end(); }

// Nothing is sent: a datagram socket only looks the route up.
std::string outward_address() {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(9);
  address.sin_addr.s_addr = htonl(0xc0000201);  // 192.0.2.1, nobody's
  auto* any = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (!socket || ::connect(socket.get(), any, size) == -1 ||
      ::getsockname(socket.get(), any, &size) == -1)
    return "";
  char text[INET_ADDRSTRLEN];
  return ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text) ? text : "";
}

}  // namespace cbuild::runtime
