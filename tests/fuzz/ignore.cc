// An ignore file, and a path to match. First line: the path.
#include "parser/ignore.h"

#include "base/text.h"
#include "tests/fuzz/target.h"

namespace cbuild::parser {
namespace {

// A directory that may be passed over holds nothing that is kept.
void check_path(const IgnoreMatcher& matcher, const std::string& path) {
  const int decided = matcher.deciding_pattern(path);
  MUST((decided >= 0) || !matcher.matches(path));
  for (std::size_t slash = path.find('/'); slash != path.npos;
       slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    if (matcher.matches(parent) && matcher.can_prune(parent))
      MUST(matcher.matches(path));
  }
}

void check_glob(const std::string& pattern, const std::string& path) {
  try {
    const bool matches = glob_match(pattern, path);
    if (!has_glob(pattern)) MUST(matches == (pattern == path));
  } catch (const Error& e) {
    MUST(*e.what() != '\0');
  }
}

}  // namespace
}  // namespace cbuild::parser

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace cbuild::parser;
  const auto [line, text] =
      cbuild::fuzz::first_line(cbuild::fuzz::text_of(data, size));
  const std::string cleaned = cbuild::clean_path("/" + std::string(line));
  const std::string path = cleaned == "/" ? "a" : cleaned.substr(1);
  try {
    const std::vector<std::string> patterns = read_ignore_file(text);
    for (const std::string& pattern : patterns) check_glob(pattern, path);
    const IgnoreMatcher matcher(patterns);
    if (patterns.empty()) MUST(matcher.empty());
    check_path(matcher, path);
  } catch (const cbuild::Error& e) {
    MUST(*e.what() != '\0');
  }
  return 0;
}
