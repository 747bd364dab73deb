// RUN --mount=type=ssh: sockets in a container, and agents behind them.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "runtime/key_agent.h"
#include "runtime/socket_forward.h"
#include "sandbox.h"

namespace cbuild::runtime {
namespace {

// The answer to "which keys": a type byte and the count (draft-miller-ssh-agent
// 3.5).
std::string identities(const std::string& socket) {
  const Fd fd = connect_to(socket);
  write_all(fd.get(), std::string("\0\0\0\1\13", 5), socket);
  std::string answer(9, '\0');
  std::size_t got = 0;
  while (got < answer.size()) {
    const std::size_t n =
        read_some(fd.get(), answer.data() + got, answer.size() - got, socket);
    if (n == 0) break;
    got += n;
  }
  return answer.substr(4, got - 4);
}

}  // namespace

TEST_CASE("socket: owner and mode are those asked for", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const Fd agent = listen_at(sandbox.dir() + "/agent");
  RunSpec spec = sandbox.spec("stat -c '%F %a %u:%g' /run/agent/s");
  spec.mounts.push_back(
      SocketMount{"/run/agent/s", sandbox.dir() + "/agent", 0640, 7, 8});
  CHECK(sandbox.run(spec).out == "socket 640 7:8\n");
  CHECK(sandbox.written() == "");
}

TEST_CASE("forward: bytes go both ways, connections do not mix", "[runtime]") {
  const TempDir dir("/tmp", "cbuild-test-");
  const Fd far = listen_at(dir.path() + "/far");
  const SocketForward forward(listen_at(dir.path() + "/near"),
                              dir.path() + "/far");
  const Fd one = connect_to(dir.path() + "/near");
  const Fd far_one(::accept4(far.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const Fd two = connect_to(dir.path() + "/near");
  const Fd far_two(::accept4(far.get(), nullptr, nullptr, SOCK_CLOEXEC));
  char byte = 0;
  write_all(one.get(), "1", "");
  CHECK(read_some(far_one.get(), &byte, 1, "") == 1);
  CHECK(byte == '1');
  write_all(far_two.get(), "2", "");
  CHECK(read_some(two.get(), &byte, 1, "") == 1);
  CHECK(byte == '2');
}

TEST_CASE("forward: without an agent the connection is closed", "[runtime]") {
  const TempDir dir("/tmp", "cbuild-test-");
  const SocketForward forward(listen_at(dir.path() + "/near"),
                              dir.path() + "/nobody");
  const Fd fd = connect_to(dir.path() + "/near");
  char byte;
  CHECK(read_some(fd.get(), &byte, 1, "") == 0);
}

TEST_CASE("keys: an agent that holds those of files, also of readable ones",
          "[runtime]") {
  if (std::system("command -v ssh-keygen >/dev/null") != 0) {
    WARN("SKIPPED: no ssh-keygen (Debian package openssh-client)");
    return;
  }
  const TempDir dir("/tmp", "cbuild-test-");
  const std::string key = dir.path() + "/key";
  REQUIRE(std::system(("ssh-keygen -q -t ed25519 -N '' -f " + key).c_str()) ==
          0);
  REQUIRE(::chmod(key.c_str(), 0644) == 0);
  std::string socket;
  {
    const KeyAgent agent(TempDir(dir.path(), "agent-"), {key});
    socket = agent.socket();
    CHECK(identities(socket) == std::string("\14\0\0\0\1", 5));
  }
  CHECK_THROWS(connect_to(socket));
  write_all(open_path(dir.path() + "/none", O_WRONLY | O_CREAT, 0600).get(),
            "no key", "");
  TempDir place(dir.path(), "agent-");
  const std::string where = place.path();
  CHECK_THROWS_WITH(KeyAgent(std::move(place), {dir.path() + "/none"}),
                    Catch::Contains("ssh key " + dir.path() + "/none: "));
  // Its agent is gone too: no process has the directory as its own.
  CHECK(std::system(("! ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -q " + where)
                        .c_str()) == 0);
}

TEST_CASE("devices: nodes below /dev, also in a directory", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  RunSpec spec = sandbox.spec(
      "stat -c '%F %a %u:%g %t %T' /dev/a/zero; head -c 3 /dev/a/zero | wc -c");
  spec.devices = {{"/dev/a/zero", false, 1, 5, 0640, 3, 4}};
  CHECK(sandbox.run(spec).out == "character special file 640 3:4 1 5\n3\n");
  CHECK(sandbox.written() == "");
}

}  // namespace cbuild::runtime
