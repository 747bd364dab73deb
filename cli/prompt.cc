#include "cli/prompt.h"

#include <termios.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "cli/output.h"

namespace cbuild::cli {
namespace {

// Turns the terminal's echo off while it lives.
class NoEcho {
 public:
  NoEcho() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &silent) == 0;
  }
  ~NoEcho() {
    if (changed_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  termios before_ = {};
  bool changed_ = false;
};

}  // namespace

std::string ask(const std::string& prompt, const std::atomic<bool>* stop) {
  write_all(STDERR_FILENO, prompt, "standard error");
  std::string line;
  for (char c = 0;;) {
    // Not read_some(): it would read on after the signal that wants us to stop.
    const ssize_t got = ::read(STDIN_FILENO, &c, 1);
    if (stop->load()) throw Interrupted();
    if (got <= 0 || c == '\n') return line;
    line += c;
  }
}

std::string ask_secretly(const std::string& prompt,
                         const std::atomic<bool>* stop) {
  const NoEcho no_echo;
  std::string line = ask(prompt, stop);
  print_error("");
  return line;
}

}  // namespace cbuild::cli
