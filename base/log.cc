#include "base/log.h"

#include <unistd.h>

#include <string>

namespace cbuild {

void warn(std::string_view text) {
  const std::string line = "cbuild: warning: " + std::string(text) + "\n";
  // Nothing can be done where standard error itself is gone.
  [[maybe_unused]] const ssize_t n =
      ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace cbuild
