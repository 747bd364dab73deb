// --refuse-secrets: no layer may hold what a secret holds.
#pragma once

#include <string>

#include "builder/build.h"

namespace cbuild::builder {

// Looks for the content of every given secret, without blanks around it, in the
// files below `tree` (what a step wrote). Throws Error naming the secret and
// the file. Secrets of less than 4 bytes are an error too: they would be found
// anywhere. Compressed or encoded copies are not found.
void refuse_secrets(const BuildRequest& request, const std::string& tree);

}  // namespace cbuild::builder
