// BuildKit's build checks that look at one instruction as written: private to
// parser/. Those that need stages or values are the builder's.
#pragma once

#include <vector>

#include "parser/ast.h"
#include "parser/lines.h"

namespace cbuild::parser {

// Before the instruction is typed: what its words alone show.
void lint_words(const RawInstruction& raw, std::vector<Warning>& warnings);
// After it: what needs to be without mistakes first.
void lint_description(const RawInstruction& raw, const Node& node,
                      std::vector<Warning>& warnings);

}  // namespace cbuild::parser
