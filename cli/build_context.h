// Where a build reads its context and its Dockerfile from.
#pragma once

#include <string>

#include "builder/build.h"

namespace cbuild::cli {

// `context`: the word on the command line; `file`: of --file, or empty. "-"
// reads standard input: for the context as much as tells an archive, which the
// build reads on from. Throws UsageError with buildx's words.
void read_context(const std::string& context, const std::string& file,
                  builder::BuildRequest& request);

}  // namespace cbuild::cli
