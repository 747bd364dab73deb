// The value of `# check=` and of BUILDKIT_DOCKERFILE_CHECK: which build checks
// are wanted (reference/peers.md 1.2).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace cbuild::parser {

struct CheckOptions {
  bool skip_all = false;
  std::vector<std::string> skip;  // rule names; case matters
  bool experimental_all = false;
  std::vector<std::string> experimental;
  bool error = false;  // a warning fails the build
};

// `skip=A,B|all;error=bool;experimental=A,B|all`. Throws Error with BuildKit's
// wording, without its `failed to parse check options: `.
CheckOptions parse_check_options(std::string_view text);

// The value that a directive `# check=` stands for: it ends at the first blank,
// unlike that of the build argument.
std::string_view check_directive_value(std::string_view value);

// `base` with what a `check=` comment right above an instruction adds: skip and
// experimental, for that instruction alone. A comment that cannot be read adds
// nothing.
CheckOptions with_check_comments(const CheckOptions& base,
                                 const std::vector<std::string>& comments);

}  // namespace cbuild::parser
