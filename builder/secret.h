// Contents of --secret: read anew each time, kept nowhere.
#pragma once

#include <optional>
#include <string>

#include "builder/build.h"

namespace cbuild::builder {

// nullopt where no secret has that id, or its file or variable is not there.
// Throws Error for one of more than 500 KiB (BuildKit's limit).
std::optional<std::string> read_secret(const BuildRequest& request,
                                       const std::string& id);

}  // namespace cbuild::builder
