// The glob patterns of ${v#p}, ${v%p} and ${v/p/r}: private to expand.cc.
//
// '*' is any run of characters, '?' one; neither matches a newline. There are
// no classes. '\' keeps '*', '?' and '\' from being special; '\}' and '\/' are
// '}' and '/'; before anything else it is a mistake (Error).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cbuild::parser {

// `value` without the shortest or (greedy) longest start that matches.
std::string trim_prefix(std::string_view value, std::string_view pattern,
                        bool greedy);
std::string trim_suffix(std::string_view value, std::string_view pattern,
                        bool greedy);

// `value` with the first or all longest matches replaced. It stops at the piece
// that makes the result longer than `limit` bytes.
std::string replace_pattern(std::string_view value, std::string_view pattern,
                            std::string_view replacement, bool all,
                            std::size_t limit);

}  // namespace cbuild::parser
