// Ctrl-C and SIGTERM: the first asks to stop, the second ends the process.
#pragma once

#include <atomic>

namespace cbuild::cli {

// Installs the handlers and returns the flag that the first signal sets. The
// second ends the process at once with status 130; the store survives that as
// it survives a kill. SIGPIPE is caught and dropped, so that a registry that
// hangs up is an error and not the end; a handler, unlike SIG_IGN, is not
// inherited by the commands of a build.
const std::atomic<bool>* install_signal_handlers();

}  // namespace cbuild::cli
