// BuildKit's switches for its SBOM scanner: declared with ARG, but never part
// of the environment (dockerfile2llb, nonEnvArgs).
#pragma once

#include <string_view>

namespace cbuild::builder {

inline bool is_scanner_switch(std::string_view name) {
  return name == "BUILDKIT_SBOM_SCAN_CONTEXT" ||
         name == "BUILDKIT_SBOM_SCAN_STAGE";
}

}  // namespace cbuild::builder
