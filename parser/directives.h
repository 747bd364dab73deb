// Parser directives: `# syntax=`, `# escape=`, `# check=` (reference/peers.md
// 1.2). Private to parser/, but for tests.
//
// They are read twice, as BuildKit does: parse() meets them line by line and
// obeys `escape`; `syntax` and `check` are asked of the whole text, where a
// first line `#!...` is passed over.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cbuild::parser {

struct Directive {
  std::string name;  // lower case
  std::string value;
  std::size_t line = 0;  // 1-based
};

// Feeds on the lines of a file until one is no directive.
class DirectiveReader {
 public:
  // `line` without its end. Throws Error for a directive that was there.
  std::optional<Directive> read(std::string_view line);
  bool done() const { return done_; }

 private:
  std::size_t line_ = 0;
  std::set<std::string> seen_;
  bool done_ = false;
};

// The directives at the top of a file, up to the first mistake.
std::vector<Directive> read_directives(std::string_view text);

}  // namespace cbuild::parser
