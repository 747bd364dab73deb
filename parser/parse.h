// Dockerfile text to a typed tree: the entry point of parser/.
//
// Pure: no file, no clock, no network. Accepts and refuses what BuildKit's
// dockerfile frontend (1.26) does; all mistakes of a file are reported at once.
#pragma once

#include <string_view>

#include "parser/ast.h"
#include "parser/source.h"

namespace cbuild::parser {

// Throws SyntaxError.
ParsedFile parse(std::string_view text);

// The value of `# check=`, or empty; also of a file that parse() refuses.
Word check_directive(std::string_view text);

// Parses one instruction stored by ONBUILD (always with '\' as escape). Throws
// SyntaxError; spans are relative to `text`.
Instruction parse_onbuild(std::string_view text);

}  // namespace cbuild::parser
