#include "cli/signals.h"

#include <signal.h>
#include <unistd.h>

namespace cbuild::cli {
namespace {

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void on_stop(int) {
  if (stop_requested.exchange(true)) ::_exit(130);
}

extern "C" void on_pipe(int) {}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  // Not restarted, so that a read from a terminal ends too; every loop on
  // EINTR in base/ and below looks at the flag again.
  action.sa_flags = signal == SIGPIPE ? SA_RESTART : 0;
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

const std::atomic<bool>* install_signal_handlers() {
  handle(SIGINT, on_stop);
  handle(SIGTERM, on_stop);
  handle(SIGHUP, on_stop);
  handle(SIGPIPE, on_pipe);
  return &stop_requested;
}

}  // namespace cbuild::cli
