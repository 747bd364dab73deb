// The JSON of build --metadata-file.
#pragma once

#include <string>

#include "builder/build.h"

namespace cbuild::cli {

// Keys as buildx writes them (reference/peers.md 3.4), as far as they apply:
// containerimage.digest, .config.digest, .descriptor, image.name.
std::string metadata_json(const builder::BuildRequest& request,
                          const builder::BuildResult& result,
                          const std::string& created);

}  // namespace cbuild::cli
