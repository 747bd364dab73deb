// Go's filepath.Match. Nothing is compiled: a pattern is used once or twice.
#include <algorithm>
#include <optional>

#include "parser/ignore.h"
#include "parser/runes.h"

namespace cbuild::parser {
namespace {

[[noreturn]] void bad_pattern() { throw Error("syntax error in pattern"); }

// Reads one pattern from the front.
class Reader {
 public:
  explicit Reader(std::string_view pattern) : rest_(pattern) {}

  bool done() const { return rest_.empty(); }
  char front() const { return rest_.empty() ? '\0' : rest_.front(); }
  std::string_view rest() const { return rest_; }

  char32_t next() {
    if (rest_.empty()) bad_pattern();
    const Rune rune = rune_at(rest_, 0);
    rest_.remove_prefix(rune.size);
    return rune.value;
  }
  char32_t escaped() {
    next();
    return next();
  }

  // A class, its '[' being next: does it hold `rune`?
  bool class_holds(char32_t rune) {
    next();
    const bool negated = front() == '^';
    if (negated) next();
    bool held = false;
    for (bool first = true; first || front() != ']'; first = false) {
      const char32_t low = bound();
      char32_t high = low;
      if (front() == '-') {
        next();
        high = bound();
      }
      held |= low <= rune && rune <= high;
      if (done()) bad_pattern();
    }
    next();
    return held != negated;
  }

 private:
  char32_t bound() {
    if (done() || front() == '-' || front() == ']') bad_pattern();
    return front() == '\\' ? escaped() : next();
  }

  std::string_view rest_;
};

// Matches what is before the next '*' against the start of `path`; what is
// left of the path, or nullopt. The pattern is read either way.
std::optional<std::string_view> match_chunk(Reader& pattern,
                                            std::string_view path) {
  bool failed = false;
  while (!pattern.done() && pattern.front() != '*') {
    failed = failed || path.empty();
    const Rune rune = failed ? Rune{} : rune_at(path, 0);
    if (!failed) path.remove_prefix(rune.size);
    if (pattern.front() == '[') {
      failed |= !pattern.class_holds(rune.value);
    } else if (pattern.front() == '?') {
      pattern.next();
      failed |= rune.value == '/';
    } else if (pattern.front() == '\\') {
      failed |= pattern.escaped() != rune.value;
    } else {
      failed |= pattern.next() != rune.value;
    }
  }
  if (failed) return std::nullopt;
  return path;
}

// Where `chunk` matches behind a '*': the first place after which the rest of
// the path is used up, or there is more pattern.
std::optional<std::string_view> match_behind_star(Reader& pattern,
                                                  std::string_view path) {
  const Reader start = pattern;
  for (std::size_t skipped = 0;; ++skipped) {
    pattern = start;
    const auto rest = match_chunk(pattern, path.substr(skipped));
    if (rest && (rest->empty() || !pattern.done())) return rest;
    if (skipped == path.size() || path[skipped] == '/') return std::nullopt;
  }
}

void check(Reader pattern) {
  while (!pattern.done()) {
    while (pattern.front() == '*') pattern.next();
    match_chunk(pattern, {});
  }
}

}  // namespace

bool has_glob(std::string_view pattern) {
  return pattern.find_first_of("*?[\\") != std::string_view::npos;
}

bool glob_match(std::string_view pattern, std::string_view path) {
  Reader reader(pattern);
  check(reader);
  while (!reader.done()) {
    const bool star = reader.front() == '*';
    while (reader.front() == '*') reader.next();
    if (star && reader.done()) return path.find('/') == std::string_view::npos;
    const auto rest =
        star ? match_behind_star(reader, path) : match_chunk(reader, path);
    if (!rest) return false;
    path = *rest;
  }
  return path.empty();
}

}  // namespace cbuild::parser
