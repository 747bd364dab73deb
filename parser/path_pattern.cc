#include "parser/path_pattern.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "parser/ignore.h"
#include "parser/runes.h"

namespace cbuild::parser {
namespace {

constexpr std::size_t kSmall = 256;  // states that fit on the stack

std::string_view next_segment(std::string_view& rest) {
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view segment = rest.substr(0, slash);
  rest.remove_prefix(std::min(slash + 1, rest.size()));
  return segment;
}

}  // namespace

PathPattern::PathPattern(std::string text) : text_(std::move(text)) {
  glob_match(text_, ".");  // for its complaints
  translate();
  find_ends();
}

void PathPattern::find_ends() {
  tail_at_ = text_.size();
  if (forgotten_) return;
  constexpr std::string_view special = "*?[]\\";
  head_size_ = std::min(text_.find_first_of(special), text_.size());
  const std::size_t last = text_.find_last_of(special);
  if (last == std::string::npos) {
    tail_at_ = 0;
  } else if (text_[last] != '\\') {  // what it escapes is not read here
    tail_at_ = last + 1;
    // The '/' of "**/" may match nothing.
    if (tail().starts_with('/')) ++tail_at_;
  }
}

std::string_view PathPattern::head() const {
  return std::string_view(text_).substr(0, head_size_);
}

std::string_view PathPattern::tail() const {
  return std::string_view(text_).substr(tail_at_);
}

void PathPattern::translate() {
  for (std::size_t at = 0; at < text_.size();) translate_one(at);
}

void PathPattern::translate_one(std::size_t& at) {
  const char c = text_[at];
  if (c == '*') {
    translate_stars(text_, at);
  } else if (c == '[') {
    read_set(text_, at);
    kind_ = Kind::tokens;
  } else if (c == '?') {
    add({Token::one});
    kind_ = Kind::tokens;
    ++at;
  } else if (c == '^') {
    add({Token::start});
    forgotten_ = true;
    ++at;
  } else if (c == '|') {
    branches_.emplace_back();
    forgotten_ = true;
    ++at;
  } else {
    if (c == '\\') ++at;
    if (c == '\\' || c == ']') kind_ = Kind::tokens;
    const Rune rune = rune_at(text_, at);
    Token literal;
    literal.rune = rune.value;
    add(std::move(literal));
    at += rune.size;
  }
}

void PathPattern::translate_stars(std::string_view text, std::size_t& at) {
  const bool first = at == 0;
  ++at;
  if (at == text.size() || text[at] != '*') {
    add({Token::segment});
    kind_ = Kind::tokens;
    return;
  }
  ++at;
  if (at < text.size() && text[at] == '/') ++at;
  if (at == text.size()) {
    kind_ = kind_ == Kind::exact ? Kind::prefix : Kind::tokens;
    add({Token::any});
  } else {
    kind_ = Kind::tokens;
    add({Token::directories});
  }
  if (first) kind_ = Kind::suffix;
}

// glob_match() has seen that the class is complete. A '*' or '?' in it ends it
// early, because moby/patternmatcher puts "[^/]*" or "[^/]" in its place.
void PathPattern::read_set(std::string_view text, std::size_t& at) {
  Token token{Token::set};
  ++at;
  if (text[at] == '^') {
    token.negated = true;
    ++at;
  }
  const auto bound = [&] {
    if (text[at] == '\\') ++at;
    const Rune rune = rune_at(text, at);
    at += rune.size;
    return rune.value;
  };
  while (text[at] != ']') {
    if (text[at] == '*' || text[at] == '?') {
      token.repeated = text[at] == '*';
      for (const char32_t c : {U'[', U'^', U'/'})
        token.ranges.push_back({c, c});
      ++at;
      add(std::move(token));
      return;
    }
    const char32_t low = bound();
    char32_t high = low;
    if (text[at] == '-') {
      ++at;
      high = bound();
    }
    if (high < low) throw Error("syntax error in pattern");
    token.ranges.push_back({low, high});
  }
  ++at;
  add(std::move(token));
}

bool PathPattern::matches(std::string_view path) const {
  switch (kind_) {
    case Kind::exact:
      return path == text_;
    case Kind::prefix:
      return path.starts_with(
          std::string_view(text_).substr(0, text_.size() - 2));
    case Kind::suffix: {
      const std::string_view suffix = std::string_view(text_).substr(2);
      return path.ends_with(suffix) ||
             (suffix.starts_with('/') && path == suffix.substr(1));
    }
    case Kind::tokens:
      break;
  }
  if (!path.starts_with(head()) || !path.ends_with(tail())) return false;
  for (std::size_t i = 0; i < branches_.size(); ++i)
    if (run(i, path)) return true;
  return false;
}

bool PathPattern::Token::loops() const {
  return type == segment || type == any || type == directories || repeated;
}

bool PathPattern::Token::holds(char32_t c) const {
  switch (type) {
    case literal:
      return c == rune;
    case one:
    case segment:
      return c != '/';
    case any:
    case directories:
      return c != '\n';
    case start:
      return false;
    case set:
      break;
  }
  const bool inside = std::any_of(
      ranges.begin(), ranges.end(),
      [&](const auto& range) { return range.first <= c && c <= range.second; });
  return inside != negated;
}

// All ways of matching one branch, as the set of tokens that may come next.
class PathPattern::Run {
 public:
  Run(const Branch& tokens, char* now, char* next)
      : tokens_(tokens), now_(now), next_(next) {
    std::fill_n(now_, tokens.size() + 1, 0);
  }

  void begin(bool at_start) { enter(now_, 0, at_start); }
  bool ended() const { return now_[tokens_.size()] != 0; }

  void read(char32_t rune) {
    std::fill_n(next_, tokens_.size() + 1, 0);
    for (std::size_t state = 0; state < tokens_.size(); ++state) {
      if (!now_[state] || !tokens_[state].holds(rune)) continue;
      if (!tokens_[state].loops()) {
        enter(next_, state + 1, false);
      } else if (tokens_[state].type != Token::directories) {
        enter(next_, state, false);
      } else {
        // "(.*/)?": once inside, only a '/' leads out.
        next_[state] = 1;
        if (rune == '/') enter(next_, state + 1, false);
      }
    }
    std::swap(now_, next_);
  }

 private:
  // A loop may also be passed without reading anything.
  void enter(char* states, std::size_t state, bool at_start) const {
    for (; !states[state]; ++state) {
      if (state == tokens_.size() || tokens_[state].type != Token::start)
        states[state] = 1;
      if (state == tokens_.size()) return;
      const bool passes = tokens_[state].type == Token::start
                              ? at_start
                              : tokens_[state].loops();
      if (!passes) return;
    }
  }

  const Branch& tokens_;
  char* now_;
  char* next_;
};

bool PathPattern::run(std::size_t branch, std::string_view path) const {
  const std::size_t states = branches_[branch].size() + 1;
  std::array<char, 2 * kSmall> small;
  std::vector<char> large;
  if (states > kSmall) large.resize(2 * states);
  char* const memory = states > kSmall ? large.data() : small.data();
  Run run(branches_[branch], memory, memory + states);

  const bool floats = branch != 0;                   // may begin anywhere
  const bool open = branch + 1 != branches_.size();  // may end anywhere
  run.begin(true);
  for (std::size_t at = 0; at < path.size();) {
    if (open && run.ended()) return true;
    const Rune rune = rune_at(path, at);
    at += rune.size;
    run.read(rune.value);
    if (floats) run.begin(false);
  }
  return run.ended();
}

bool PathPattern::may_match_below(std::string_view directory) const {
  if (forgotten_ && kind_ == Kind::tokens) return true;
  std::string_view pattern = text_;
  while (!directory.empty()) {
    const std::string_view segment = next_segment(pattern);
    const std::string_view name = next_segment(directory);
    // Classes may match '/' and '**' crosses it; beyond them all is possible.
    if (segment.find_first_of("[\\") != std::string_view::npos ||
        segment.find("**") != std::string_view::npos)
      return true;
    if (!glob_match(segment, name)) return false;
  }
  return !pattern.empty();
}

}  // namespace cbuild::parser
