#include "base/workers.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>

#include "base/error.h"

using namespace cbuild;

namespace {

// 20 jobs on eight threads, as a user of whom `most` processes are allowed:
// how many ran, -1 where no thread could be had, -2 where that cannot be tried.
int jobs_done(rlim_t most) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto user = static_cast<uid_t>(2'000'000 + ::getpid());
    const rlimit limit = {most, most};
    if (::setrlimit(RLIMIT_NPROC, &limit) == -1 ||
        ::setresuid(user, user, user) == -1)
      ::_exit(100);
    std::atomic<int> done = 0;
    try {
      Workers workers(8);
      for (int i = 0; i < 20; ++i) workers.submit([&] { ++done; });
      workers.wait();
    } catch (const SystemError&) {
      ::_exit(99);
    }
    ::_exit(done);
  }
  int status = 0;
  check(::waitpid(child, &status, 0), "waitpid", "");
  REQUIRE(WIFEXITED(status));
  const int code = WEXITSTATUS(status);
  return code == 99 ? -1 : code == 100 ? -2 : code;
}

}  // namespace

TEST_CASE("where threads are few, those there are do the work", "[workers]") {
  if (jobs_done(100) == -2) {
    WARN("SKIPPED: the number of processes is limited for root's child only");
    return;
  }
  CHECK(jobs_done(100) == 20);
  CHECK(jobs_done(2) == 20);
  CHECK(jobs_done(1) == -1);
}
