// How the arguments of instructions are written: private to parser/.
//
// One function per notation; Boost.Spirit X3 stays inside grammar_*.cc. Ranges
// are offsets in the text that was given. A function that can fail throws Error
// with BuildKit's wording, a PlacedError where one word is to blame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace cbuild::parser {

struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// A mistake in one place of the arguments.
class PlacedError : public Error {
 public:
  PlacedError(std::string message, Range range)
      : Error(std::move(message)), range_(range) {}
  const Range& range() const { return range_; }

 private:
  Range range_;
};

// Separated by blanks alone; quotes mean nothing (FROM, EXPOSE, COPY, VOLUME).
std::vector<Range> blank_words(std::string_view text);

// Separated by blanks outside quotes; quotes and escapes stay (ENV, ARG). An
// escape character that ends the text belongs to no word.
std::vector<Range> quoted_words(std::string_view text, char escape);

// A JSON array as Go reads it. `words` is nullopt where an element is no
// string. nullopt as a whole: not JSON.
struct JsonArray {
  struct Element {
    std::string text;
    Range range;
  };
  std::optional<std::vector<Element>> words;
};
std::optional<JsonArray> json_array(std::string_view text);

// NAME=VALUE pairs, or one pair NAME VALUE (ENV, LABEL).
struct Pair {
  Range name;
  Range value;
  bool equals = true;
};
std::vector<Pair> name_value_pairs(std::string_view text, char escape,
                                   std::string_view keyword);

// FROM: the words are one or three, the middle one being AS.
struct FromWords {
  Range base;
  std::optional<Range> name;
};
FromWords from_words(std::string_view text);

// Comma-separated fields, quoted ones as in RFC 4180 (--mount, --device).
std::vector<std::string> csv_fields(std::string_view text);

// Go's time.ParseDuration: nanoseconds.
std::int64_t duration(std::string_view text);

}  // namespace cbuild::parser
