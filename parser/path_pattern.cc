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
  constexpr std::string_view special = "*?[]\\";
  head_size_ = std::min(text_.find_first_of(special), text_.size());
  const std::size_t last = text_.find_last_of(special);
  tail_at_ = last == std::string::npos ? 0 : last + 1;
  // What '\' escapes is not read here; the '/' of "**/" may match nothing.
  if (last != std::string::npos && text_[last] == '\\')
    tail_at_ = text_.size();
  else if (tail().starts_with('/'))
    ++tail_at_;
}

std::string_view PathPattern::head() const {
  return std::string_view(text_).substr(0, head_size_);
}

std::string_view PathPattern::tail() const {
  return std::string_view(text_).substr(tail_at_);
}

void PathPattern::translate() {
  for (std::size_t at = 0; at < text_.size();) {
    const char c = text_[at];
    if (c == '*') {
      translate_stars(text_, at);
    } else if (c == '[') {
      read_set(text_, at);
      kind_ = Kind::tokens;
    } else if (c == '?') {
      tokens_.push_back({Token::one});
      kind_ = Kind::tokens;
      ++at;
    } else {
      if (c == '\\') ++at;
      if (c == '\\' || c == ']') kind_ = Kind::tokens;
      const Rune rune = rune_at(text_, at);
      tokens_.push_back({Token::literal, rune.value});
      at += rune.size;
    }
  }
}

void PathPattern::translate_stars(std::string_view text, std::size_t& at) {
  const bool first = at == 0;
  ++at;
  if (at == text.size() || text[at] != '*') {
    tokens_.push_back({Token::segment});
    kind_ = Kind::tokens;
    return;
  }
  ++at;
  if (at < text.size() && text[at] == '/') ++at;
  if (at == text.size()) {
    kind_ = kind_ == Kind::exact ? Kind::prefix : Kind::tokens;
    tokens_.push_back({Token::any});
  } else {
    kind_ = Kind::tokens;
    tokens_.push_back({Token::directories});
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
      tokens_.push_back(std::move(token));
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
  tokens_.push_back(std::move(token));
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
  const std::size_t states = tokens_.size() + 1;
  if (states <= kSmall) {
    std::array<char, kSmall> now;
    std::array<char, kSmall> next;
    return run(path, now.data(), next.data());
  }
  std::vector<char> now(states);
  std::vector<char> next(states);
  return run(path, now.data(), next.data());
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
    case set:
      break;
  }
  const bool inside = std::any_of(
      ranges.begin(), ranges.end(),
      [&](const auto& range) { return range.first <= c && c <= range.second; });
  return inside != negated;
}

// A loop may also be passed without reading anything.
void PathPattern::enter(char* states, std::size_t state) const {
  for (; !states[state]; ++state) {
    states[state] = 1;
    if (state == tokens_.size() || !tokens_[state].loops()) return;
  }
}

bool PathPattern::run(std::string_view path, char* now, char* next) const {
  const std::size_t end = tokens_.size();
  std::fill_n(now, end + 1, 0);
  enter(now, 0);
  for (std::size_t at = 0; at < path.size();) {
    const Rune rune = rune_at(path, at);
    at += rune.size;
    std::fill_n(next, end + 1, 0);
    for (std::size_t state = 0; state < end; ++state) {
      if (!now[state] || !tokens_[state].holds(rune.value)) continue;
      const bool group = tokens_[state].type == Token::directories;
      if (!tokens_[state].loops()) {
        enter(next, state + 1);
      } else if (!group) {
        enter(next, state);
      } else {
        // "(.*/)?": once inside, only a '/' leads out.
        next[state] = 1;
        if (rune.value == '/') enter(next, state + 1);
      }
    }
    std::swap(now, next);
  }
  return now[end] != 0;
}

bool PathPattern::may_match_below(std::string_view directory) const {
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
