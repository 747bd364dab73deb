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

// One that goes into a header: without blanks around it. Throws
// CredentialsError for one of several lines, which would be several headers.
std::optional<std::string> read_line_secret(const BuildRequest& request,
                                            const std::string& id);

}  // namespace cbuild::builder
