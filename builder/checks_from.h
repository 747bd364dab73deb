// Checks that need the variables a FROM line sees.
#pragma once

#include <string>
#include <vector>

#include "builder/checks.h"
#include "builder/stage_graph.h"
#include "builder/variables.h"

namespace cbuild::builder {

// InvalidDefaultArgInFrom: base names with the defaults of all ARGs, as if no
// build argument were given.
void check_default_bases(const parser::ParsedFile& file,
                         const Variables& defaults, Checks& checks);

// UndefinedArgInFrom, RedundantTargetPlatform, FromPlatformFlagConstDisallowed.
// `names`: platform words and declared global ARGs.
void check_from(const parser::Instruction& instruction,
                const GlobalScope& scope, const std::vector<std::string>& names,
                Checks& checks);

}  // namespace cbuild::builder
