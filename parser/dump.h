// The tree as an S-expression, for goldens and for looking at it.
//
//   (stage "build" :from "golang" :line 1
//     (run :line 2 shell "make")
//     (copy :line 3 :from "deps" "/lib" "/usr/lib" "/dest"))
//
// Texts are in double quotes with Go's escapes; what has its default is left
// out. The format may change with the tree; nothing reads it back.
#pragma once

#include <string>
#include <string_view>

#include "parser/ast.h"

namespace cbuild::parser {

// `text` is what `file` was parsed from: spans are shown as lines.
std::string dump(const ParsedFile& file, std::string_view text);

}  // namespace cbuild::parser
