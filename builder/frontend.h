// `# syntax=`: which program is to read the Dockerfile. cbuild has one, built
// in, and fetches none.
#pragma once

#include <string>

#include "builder/build.h"
#include "parser/ast.h"

namespace cbuild::builder {

// The image that `# syntax=`, or the build argument BUILDKIT_SYNTAX in its
// place, names where it is not BuildKit's Dockerfile frontend; else empty.
std::string other_frontend(const BuildRequest& request,
                           const parser::ParsedFile& file);

}  // namespace cbuild::builder
