// BuildKit's build checks that look at one instruction as written: private to
// parser/. Those that need stages or values are the builder's.
#pragma once

#include <vector>

#include "parser/ast.h"
#include "parser/lines.h"

namespace cbuild::parser {

void lint(const RawInstruction& raw, const Node& node,
          std::vector<Warning>& warnings);

}  // namespace cbuild::parser
