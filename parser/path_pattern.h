// One pattern of an ignore file, translated once: private to ignore.cc.
//
// moby/patternmatcher turns a pattern into a regular expression in which '**'
// is ".*", "**/" an optional ".*/" and a class may match '/'. The same is done
// here with a list of tokens; all ways to match are followed at once, so that
// the time is the product of the lengths. Immutable after construction.
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
    enum Type { literal, one, segment, any, directories, set } type = literal;
    char32_t rune = 0;
    bool negated = false;   // set
    bool repeated = false;  // set
    std::vector<std::pair<char32_t, char32_t>> ranges;
    bool holds(char32_t c) const;
    bool loops() const;
  };

  void translate();
  void translate_stars(std::string_view text, std::size_t& at);
  void read_set(std::string_view text, std::size_t& at);
  bool run(std::string_view path, char* now, char* next) const;
  void enter(char* states, std::size_t state) const;

  std::string text_;
  Kind kind_ = Kind::exact;
  std::vector<Token> tokens_;
  // Plain text that every match starts and ends with: most paths fail here.
  std::string_view head() const;
  std::string_view tail() const;
  std::size_t head_size_ = 0;
  std::size_t tail_at_ = 0;
};

}  // namespace cbuild::parser
