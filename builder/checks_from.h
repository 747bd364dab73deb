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

// Names that FROM lines may use: platform words and every global ARG, with a
// value or without.
std::vector<std::string> from_names(const parser::ParsedFile& file,
                                    const GlobalScope& scope);

// UndefinedArgInFrom, RedundantTargetPlatform, FromPlatformFlagConstDisallowed.
// `names`: from_names().
void check_from(const parser::Instruction& instruction,
                const GlobalScope& scope, const std::vector<std::string>& names,
                Checks& checks);

}  // namespace cbuild::builder
