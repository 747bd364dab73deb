// One pattern of an ignore file, translated once: private to ignore.cc.
//
// moby/patternmatcher turns a pattern into a regular expression in which '**'
// is ".*", "**/" an optional ".*/" and a class may match '/'. The same is done
// here with lists of tokens; all ways to match are followed at once, so that
// the time is the product of the lengths. Immutable after construction.
//
// The translation escapes . + ( ) $ and forgets ^ and |. In a pattern that
// becomes a regular expression (one with a wildcard, class or backslash) these
// therefore mean what they do there: "^" the start of the path, "|" either
// side, of which only the outer ends are anchored. A count ("x{2}*") is not
// made of braces here; they are always plain text.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cbuild::parser {

class PathPattern {
 public:
  // `text` is cleaned and has no '!'. Throws Error for a malformed pattern.
  explicit PathPattern(std::string text);

  // The whole path and nothing but it; parents are the caller's business.
  bool matches(std::string_view path) const;

  // Can some path below the directory `directory` match?
  bool may_match_below(std::string_view directory) const;

 private:
  enum class Kind { exact, prefix, suffix, tokens };
  struct Token {
    enum Type { literal, one, segment, any, directories, set, start };
    Type type = literal;
    char32_t rune = 0;
    bool negated = false;   // set
    bool repeated = false;  // set
    std::vector<std::pair<char32_t, char32_t>> ranges;
    bool holds(char32_t c) const;
    bool loops() const;
  };
  using Branch = std::vector<Token>;  // one side of a '|'
  class Run;

  void translate();
  void translate_one(std::size_t& at);
  void translate_stars(std::string_view text, std::size_t& at);
  void read_set(std::string_view text, std::size_t& at);
  void add(Token token) { branches_.back().push_back(std::move(token)); }
  void find_ends();
  bool run(std::size_t branch, std::string_view path) const;

  std::string text_;
  Kind kind_ = Kind::exact;
  bool forgotten_ = false;  // ^ or | stand unescaped in it
  std::vector<Branch> branches_ = {{}};
  // Plain text that every match starts and ends with: most paths fail here.
  std::string_view head() const;
  std::string_view tail() const;
  std::size_t head_size_ = 0;
  std::size_t tail_at_ = 0;
};

}  // namespace cbuild::parser
