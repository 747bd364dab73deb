// The two ends of a pipe(2), close-on-exec.
#pragma once

#include "base/fd.h"

namespace cbuild {

struct Pipe {
  Fd read;
  Fd write;
};

// Both ends block. Throws SystemError.
Pipe make_pipe();

}  // namespace cbuild
