#include "base/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"

namespace cbuild {

Pipe make_pipe() {
  int ends[2];
  check(::pipe2(ends, O_CLOEXEC), "pipe2", "");
  return {Fd(ends[0]), Fd(ends[1])};
}

}  // namespace cbuild
