#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/error.h"
#include "base/fd.h"
#include "base/pipe.h"

namespace cbuild {
namespace {

constexpr int kStopCheckMilliseconds = 50;

// The input as a file and not a pipe: a program that ends without reading it
// cannot kill us with SIGPIPE.
Fd input_file(const std::string& input) {
  Fd file(check(::memfd_create("input", MFD_CLOEXEC), "memfd_create", ""));
  write_all(file.get(), input, "a program's input");
  check(::lseek(file.get(), 0, SEEK_SET), "lseek", "");
  return file;
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> list;
  for (const std::string& word : words)
    list.push_back(const_cast<char*>(word.c_str()));
  list.push_back(nullptr);
  return list;
}

// What the child needs, ready before fork(2): no memory may be allocated after.
struct Prepared {
  std::vector<char*> argv;
  std::vector<char*> environment;
  const char* directory = nullptr;
  std::optional<unsigned> umask;
  int input = -1;
  int output = -1;
  int errors = -1;  // -1: interactive
  int report = -1;  // takes errno where the program cannot be started
};

[[noreturn]] void run_child(const Prepared& prepared) noexcept {
  if (prepared.errors != -1) ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (prepared.umask) ::umask(*prepared.umask);
  const bool ready =
      ::dup2(prepared.input, STDIN_FILENO) != -1 &&
      ::dup2(prepared.output, STDOUT_FILENO) != -1 &&
      (prepared.errors == -1 || ::dup2(prepared.errors, STDERR_FILENO) != -1) &&
      (prepared.directory == nullptr || ::chdir(prepared.directory) != -1);
  if (ready)
    ::execvpe(prepared.argv[0], prepared.argv.data(),
              prepared.environment.data());
  const int code = errno;
  [[maybe_unused]] const ssize_t n =
      ::write(prepared.report, &code, sizeof code);
  ::_exit(127);
}

// A started program; killed with its group and waited for if it is left.
class Child {
 public:
  explicit Child(const Prepared& prepared)
      : pid_(check(::fork(), "fork", prepared.argv[0])),
        own_group_(prepared.errors != -1) {
    if (pid_ == 0) run_child(prepared);
    if (own_group_) ::setpgid(pid_, pid_);  // whoever is first
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ == -1) return;
    ::kill(own_group_ ? -pid_ : pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) == -1 && errno == EINTR) {
    }
  }

  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) == -1)
      if (errno != EINTR) throw_system_error("waitpid", "");
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
  bool own_group_;
};

// Appends what is there; false at the end.
bool take(int fd, std::string& text) {
  char buffer[16 * 1024];
  const std::size_t n = read_some(fd, buffer, sizeof buffer, "a program");
  text.append(buffer, n);
  return n != 0;
}

void read_until_closed(int output, int errors, ProgramResult& result,
                       const std::atomic<bool>* stop) {
  pollfd ends[2] = {{output, POLLIN, 0}, {errors, POLLIN, 0}};
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    if (stop != nullptr && *stop) throw Interrupted();
    const int ready = ::poll(ends, 2, kStopCheckMilliseconds);
    if (ready == -1 && errno != EINTR) throw_system_error("poll", "");
    if (ready <= 0) continue;
    if (ends[0].revents != 0 && !take(output, result.output)) ends[0].fd = -1;
    if (ends[1].revents != 0 && !take(errors, result.errors)) ends[1].fd = -1;
  }
}

}  // namespace

ProgramResult run_program(const Program& program,
                          const std::atomic<bool>* stop) {
  const Fd input = input_file(program.input);
  Pipe output = make_pipe(), report = make_pipe();
  std::optional<Pipe> errors;
  if (!program.interactive) errors = make_pipe();

  Prepared prepared;
  prepared.argv = pointers(program.argv);
  if (program.environment) {
    prepared.environment = pointers(*program.environment);
  } else {
    for (char** entry = ::environ; *entry != nullptr; ++entry)
      prepared.environment.push_back(*entry);
    prepared.environment.push_back(nullptr);
  }
  if (!program.directory.empty())
    prepared.directory = program.directory.c_str();
  prepared.umask = program.umask;
  prepared.input = input.get();
  prepared.output = output.write.get();
  prepared.errors = errors ? errors->write.get() : -1;
  prepared.report = report.write.get();

  Child child(prepared);
  output.write = Fd();
  report.write = Fd();
  if (errors) errors->write = Fd();

  int code = 0;
  if (read_some(report.read.get(), reinterpret_cast<char*>(&code), sizeof code,
                program.argv[0]) == sizeof code)
    throw SystemError(code, "run", program.argv[0]);
  ProgramResult result;
  read_until_closed(output.read.get(), errors ? errors->read.get() : -1, result,
                    stop);
  result.exit_code = child.wait();
  return result;
}

}  // namespace cbuild
