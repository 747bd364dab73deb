// Matching runs all ways to match side by side, best first (a Pike machine),
// so that its time is the product of the two lengths for any pattern:
// backtracking would let one line of a Dockerfile stop the build.
#include "parser/pattern.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "base/error.h"
#include "parser/runes.h"

namespace cbuild::parser {
namespace {

struct Element {
  enum Kind { literal, any, star } kind = literal;
  char32_t rune = 0;
};
using Pattern = std::vector<Element>;
using Runes = std::vector<char32_t>;

[[noreturn]] void bad_escape(std::string_view pattern,
                             const std::string& escaped) {
  throw Error("invalid pattern (" + std::string(pattern) +
              ") in substitution: invalid escape '\\" + escaped + "'");
}

Pattern compile(std::string_view text) {
  Pattern pattern;
  const Runes runes = to_runes(text);
  for (std::size_t i = 0; i < runes.size(); ++i) {
    if (runes[i] == '*') {
      pattern.push_back({Element::star});
    } else if (runes[i] == '?') {
      pattern.push_back({Element::any});
    } else if (runes[i] != '\\') {
      pattern.push_back({Element::literal, runes[i]});
    } else {
      if (++i == runes.size()) bad_escape(text, "");
      const char32_t escaped = runes[i];
      if (std::u32string_view(U"}/*?\\").find(escaped) ==
          std::u32string_view::npos) {
        std::string shown;
        append_rune(shown, escaped);
        bad_escape(text, shown);
      }
      pattern.push_back({Element::literal, escaped});
    }
  }
  return pattern;
}

struct Match {
  std::size_t begin = 0;
  std::size_t end = 0;
};

class Matcher {
 public:
  Matcher(const Pattern& pattern, const Runes& text, bool greedy)
      : pattern_(pattern),
        text_(text),
        greedy_(greedy),
        seen_(pattern.size() + 1, kNever) {}

  // The leftmost match that starts at or after `from`, or just at it.
  std::optional<Match> find(std::size_t from, bool anchored) {
    std::optional<Match> best;
    std::vector<Thread> now;
    for (std::size_t at = from; at <= text_.size(); ++at) {
      next_.swap(now);
      next_.clear();
      std::vector<Thread> closed;
      ++step_;
      for (const Thread& thread : now) close(thread, closed);
      if (!best && (at == from || !anchored)) close({0, at}, closed);
      if (closed.empty()) break;
      for (const Thread& thread : closed) {
        if (thread.state == pattern_.size()) {
          best = Match{thread.begin, at};
          break;  // the rest would be worse
        }
        if (at < text_.size()) advance(thread, text_[at]);
      }
    }
    next_.clear();
    return best;
  }

 private:
  struct Thread {
    std::size_t state;
    std::size_t begin;
  };
  static constexpr std::size_t kNever = 0;

  // Adds `thread` and what it reaches without reading, best first.
  void close(Thread thread, std::vector<Thread>& out) {
    std::vector<Thread> waiting;
    for (;; ++thread.state) {
      if (seen_[thread.state] == step_) break;
      seen_[thread.state] = step_;
      const bool star = thread.state < pattern_.size() &&
                        pattern_[thread.state].kind == Element::star;
      if (star && !greedy_) {
        waiting.push_back(thread);
        continue;
      }
      out.push_back(thread);
      if (!star) break;
    }
    out.insert(out.end(), waiting.rbegin(), waiting.rend());
  }

  void advance(const Thread& thread, char32_t rune) {
    const Element& element = pattern_[thread.state];
    const bool reads =
        element.kind == Element::literal ? element.rune == rune : rune != U'\n';
    if (!reads) return;
    const bool stays = element.kind == Element::star;
    next_.push_back({thread.state + (stays ? 0 : 1), thread.begin});
  }

  const Pattern& pattern_;
  const Runes& text_;
  bool greedy_;
  std::vector<std::size_t> seen_;
  std::size_t step_ = kNever;
  std::vector<Thread> next_;
};

std::string to_text(const Runes& runes, std::size_t begin, std::size_t end) {
  std::string text;
  for (std::size_t i = begin; i < end; ++i) append_rune(text, runes[i]);
  return text;
}

// Back to front, escapes kept: "a\*c" -> "c\*a".
std::string reversed_pattern(std::string_view text) {
  const Runes runes = to_runes(text);
  std::string out;
  for (std::size_t end = runes.size(); end > 0;) {
    std::size_t escapes = 0;
    while (escapes + 1 < end && runes[end - 2 - escapes] == '\\') ++escapes;
    if (escapes % 2 == 1) append_rune(out, '\\');
    append_rune(out, runes[end - 1]);
    end -= 1 + escapes % 2;
  }
  return out;
}

std::string reversed(std::string_view text) {
  Runes runes = to_runes(text);
  std::reverse(runes.begin(), runes.end());
  return to_text(runes, 0, runes.size());
}

}  // namespace

std::string trim_prefix(std::string_view value, std::string_view pattern,
                        bool greedy) {
  const Pattern compiled = compile(pattern);
  const Runes runes = to_runes(value);
  const auto match = Matcher(compiled, runes, greedy).find(0, true);
  return to_text(runes, match ? match->end : 0, runes.size());
}

std::string trim_suffix(std::string_view value, std::string_view pattern,
                        bool greedy) {
  compile(pattern);  // a mistake is reported the way it was written
  return reversed(
      trim_prefix(reversed(value), reversed_pattern(pattern), greedy));
}

namespace {

bool is_word_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z') || c == '_';
}

// Go's Regexp.Expand, which BuildKit applies to the replacement of // alone: $0
// is what was matched, any other name a group that does not exist, $$ a dollar.
void add_go_template(std::string& out, std::string_view text,
                     const std::string& matched, std::size_t limit) {
  while (!text.empty() && out.size() <= limit) {
    const std::size_t dollar = text.find('$');
    out += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      out += '$';
      text.remove_prefix(1);
      continue;
    }
    const bool braces = text.starts_with('{');
    const std::string_view from = text.substr(braces ? 1 : 0);
    const auto stop = std::find_if_not(from.begin(), from.end(), is_word_byte);
    const auto length = static_cast<std::size_t>(stop - from.begin());
    if (length == 0 || (braces && (stop == from.end() || *stop != '}'))) {
      out += '$';
      continue;
    }
    if (from.substr(0, length) == "0") out += matched;
    text = from.substr(length + (braces ? 1 : 0));
  }
}

}  // namespace

std::string replace_pattern(std::string_view value, std::string_view pattern,
                            std::string_view replacement, bool all,
                            std::size_t limit) {
  const Pattern compiled = compile(pattern);
  const Runes runes = to_runes(value);
  Matcher matcher(compiled, runes, true);
  std::string out;
  std::size_t copied = 0;
  bool replaced = false;
  for (std::size_t from = 0; from <= runes.size() && out.size() <= limit;) {
    const auto match = matcher.find(from, false);
    if (!match) break;
    // As Go: an empty match right after a match does not count.
    if (match->end > match->begin || match->begin != copied || !replaced) {
      out += to_text(runes, copied, match->begin);
      copied = match->end;
      replaced = true;
      if (!all) {
        out += replacement;
        break;
      }
      add_go_template(out, replacement,
                      to_text(runes, match->begin, match->end), limit);
    }
    from = match->end > from ? match->end : from + 1;
  }
  return out + to_text(runes, copied, runes.size());
}

}  // namespace cbuild::parser
