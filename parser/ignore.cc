#include "parser/ignore.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "parser/path_pattern.h"
#include "parser/runes.h"

namespace cbuild::parser {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// A line of an ignore file to a pattern.
std::string clean_line(std::string_view line) {
  const bool keeps = line.front() == '!';
  std::string pattern;
  if (keeps) line = trim_space(line.substr(1));
  if (!line.empty()) {
    pattern = clean_path(line);
    if (pattern.size() > 1 && pattern.front() == '/') pattern.erase(0, 1);
  }
  return keeps ? "!" + pattern : pattern;
}

}  // namespace

IgnoreFile read_ignore_lines(std::string_view text) {
  if (text.starts_with(kByteOrderMark))
    text.remove_prefix(kByteOrderMark.size());
  IgnoreFile file;
  std::size_t number = 0;
  for (const std::string& line : split(text, '\n')) {
    ++number;
    if (line.starts_with('#')) continue;
    const std::string_view trimmed = trim_space(line);
    if (trimmed.empty()) continue;
    file.patterns.push_back(clean_line(trimmed));
    file.lines.push_back(number);
  }
  return file;
}

std::vector<std::string> read_ignore_file(std::string_view text) {
  return read_ignore_lines(text).patterns;
}

struct IgnoreMatcher::State {
  struct Entry {
    PathPattern pattern;
    bool keeps;  // '!'
    int index;   // in what the constructor was given
  };
  std::vector<Entry> entries;
  bool exclusions = false;

  // Index in `entries` of the last pattern that had a say, or -1.
  int decide(std::string_view path) const;
  int decide(std::string_view path, char* matched) const;
};

int IgnoreMatcher::State::decide(std::string_view path) const {
  constexpr std::size_t few = 128;
  if (entries.size() <= few) {
    std::array<char, few> matched = {};
    return decide(path, matched.data());
  }
  std::vector<char> matched(entries.size());
  return decide(path, matched.data());
}

int IgnoreMatcher::State::decide(std::string_view path, char* matched) const {
  // As a walk from the top does it: what matched a directory also matches all
  // below, but a pattern that was passed over there is not asked about it
  // again (moby/patternmatcher MatchesUsingParentResults).
  int decided = -1;
  for (std::size_t end = 0; end < path.size(); ++end) {
    end = std::min(path.find('/', end), path.size());
    decided = -1;
    bool ignored = false;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const Entry& entry = entries[i];
      if (!matched[i]) {
        if (entry.keeps != ignored) continue;
        matched[i] = entry.pattern.matches(path.substr(0, end));
        if (!matched[i]) continue;
      }
      ignored = !entry.keeps;
      decided = static_cast<int>(i);
    }
  }
  return decided;
}

IgnoreMatcher::IgnoreMatcher() : state_(std::make_shared<State>()) {}

IgnoreMatcher::IgnoreMatcher(const std::vector<std::string>& patterns) {
  auto state = std::make_shared<State>();
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const std::string_view trimmed = trim_space(patterns[i]);
    if (trimmed.empty()) continue;
    std::string pattern = clean_path(trimmed);
    const bool keeps = pattern.front() == '!';
    if (keeps) pattern.erase(0, 1);
    if (pattern.empty()) throw Error("illegal exclusion pattern: \"!\"");
    state->exclusions |= keeps;
    state->entries.push_back(
        {PathPattern(std::move(pattern)), keeps, static_cast<int>(i)});
  }
  state_ = std::move(state);
}

bool IgnoreMatcher::empty() const { return state_->entries.empty(); }

bool IgnoreMatcher::has_exclusions() const { return state_->exclusions; }

bool IgnoreMatcher::matches(std::string_view path) const {
  if (empty()) return false;
  const int decided = state_->decide(path);
  return decided >= 0 &&
         !state_->entries[static_cast<std::size_t>(decided)].keeps;
}

bool IgnoreMatcher::can_prune(std::string_view path) const {
  if (!matches(path)) return false;
  return std::none_of(state_->entries.begin(), state_->entries.end(),
                      [&](const State::Entry& entry) {
                        return entry.keeps &&
                               entry.pattern.may_match_below(path);
                      });
}

int IgnoreMatcher::deciding_pattern(std::string_view path) const {
  const int decided = state_->decide(path);
  if (decided < 0) return -1;
  return state_->entries[static_cast<std::size_t>(decided)].index;
}

}  // namespace cbuild::parser
