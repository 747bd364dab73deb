// .dockerignore files and patterns with the same rules (COPY --exclude).
//
// The rules are moby/patternmatcher's: last match wins, a pattern also matches
// everything below a directory it matches, ** crosses directories
// (reference/peers.md 1.11). A pattern is translated once; matching allocates
// nothing per path where it can be avoided.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace cbuild::parser {

// An ignore file: BOM, comments and blanks dropped, patterns cleaned.
struct IgnoreFile {
  std::vector<std::string> patterns;
  std::vector<std::size_t> lines;  // where each one stands, from 1
};
IgnoreFile read_ignore_lines(std::string_view text);
// Only its patterns.
std::vector<std::string> read_ignore_file(std::string_view text);

class IgnoreMatcher {
 public:
  IgnoreMatcher();  // matches nothing
  // Throws Error for a pattern that is none, with moby's wording.
  explicit IgnoreMatcher(const std::vector<std::string>& patterns);

  bool empty() const;
  // Some pattern starts with '!': an excluded directory may hold kept files.
  bool has_exclusions() const;

  // `path`: relative, cleaned, '/'-separated. Considers all its parents.
  bool matches(std::string_view path) const;

  // True where nothing below the matched directory `path` can be kept, so that
  // a walk need not go in.
  bool can_prune(std::string_view path) const;

  // Index of the pattern that decided for `path`, or -1; for messages.
  int deciding_pattern(std::string_view path) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

// Go's filepath.Match for one path: '*' and '?' never match '/'. Throws Error
// for a malformed pattern.
bool glob_match(std::string_view pattern, std::string_view path);
bool has_glob(std::string_view pattern);

}  // namespace cbuild::parser
