#include "runtime/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include "base/dir.h"
#include "base/error.h"

namespace cbuild::runtime {
namespace {

constexpr int kSizeInterval = 200;  // milliseconds

// False at the end of either.
bool copy_some(int from, int to) {
  char buffer[4096];
  const ssize_t n = ::read(from, buffer, sizeof buffer);
  if (n <= 0) return false;
  for (ssize_t done = 0; done < n;) {
    const ssize_t m =
        ::write(to, buffer + done, static_cast<std::size_t>(n - done));
    if (m <= 0) return false;
    done += m;
  }
  return true;
}

}  // namespace

Terminal::Terminal(int user)
    : user_(user),
      master_(check(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC),
                    "posix_openpt", "")),
      stop_(check(::eventfd(0, EFD_CLOEXEC), "eventfd", "")) {
  check(::unlockpt(master_.get()), "unlockpt", "");
  char name[64];
  if (::ptsname_r(master_.get(), name, sizeof name) != 0)
    throw_system_error("ptsname", "");
  slave_ = open_path(name, O_RDWR | O_NOCTTY);
  check(::tcgetattr(user_, &before_), "tcgetattr", "");
  follow_size();
  termios raw = before_;
  ::cfmakeraw(&raw);
  check(::tcsetattr(user_, TCSANOW, &raw), "tcsetattr", "");
  thread_ = std::thread([this] { copy(); });
}

Terminal::~Terminal() {
  const std::uint64_t one = 1;
  // Cannot fail: the counter is at 0.
  [[maybe_unused]] const ssize_t n = ::write(stop_.get(), &one, sizeof one);
  thread_.join();
  ::tcsetattr(user_, TCSADRAIN, &before_);
}

void Terminal::follow_size() {
  winsize size;
  if (::ioctl(user_, TIOCGWINSZ, &size) == 0)
    ::ioctl(master_.get(), TIOCSWINSZ, &size);
}

// Ends when it is told to and all that the command printed was shown. Our own
// end of the command's side stays open, so the master never reports a hang-up.
void Terminal::copy() {
  bool typing = true;
  for (;;) {
    pollfd events[] = {{master_.get(), POLLIN, 0},
                       {typing ? user_ : -1, POLLIN, 0},
                       {stop_.get(), POLLIN, 0}};
    if (::poll(events, 3, kSizeInterval) == -1) continue;
    follow_size();
    if (events[0].revents != 0) {
      if (!copy_some(master_.get(), user_)) return;
    } else if (events[2].revents != 0) {
      return;
    }
    if (events[1].revents != 0) typing = copy_some(user_, master_.get());
  }
}

}  // namespace cbuild::runtime
