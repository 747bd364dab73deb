#include "runtime/try_apart.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace cbuild::runtime {

int errno_apart(const std::function<int()>& body) {
  const pid_t pid = check(::fork(), "fork", "");
  if (pid == 0) {
    int code = EIO;
    try {
      code = body();
    } catch (const SystemError& e) {
      code = e.code();
    } catch (const Error&) {
      code = EPERM;
    }
    ::_exit(code);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) == -1)
    if (errno != EINTR) throw_system_error("waitpid", "");
  return WIFEXITED(status) ? WEXITSTATUS(status) : kKilledApart;
}

int code_of(int result) { return result == -1 ? errno : 0; }

std::string reason_of(int code) {
  return code == kKilledApart ? "the process was killed (seccomp)"
                              : std::strerror(code);
}

}  // namespace cbuild::runtime
