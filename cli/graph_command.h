// What a build would do, shown instead of done.
#pragma once

#include <string>

#include "builder/build.h"
#include "cli/command.h"

namespace cbuild::cli {

// `form`: ast, plan or dot (build --print). Throws UsageError for another.
std::string printed(Session& session, const builder::BuildRequest& request,
                    const std::string& form);

}  // namespace cbuild::cli
