// JSON as Go's encoding/json takes it, which decides between exec and shell
// form: what it refuses is a shell command. Strings are looked into afterwards.
#include <boost/spirit/home/x3.hpp>

#include "parser/grammar.h"
#include "parser/runes.h"

namespace cbuild::parser {
namespace {

namespace x3 = boost::spirit::x3;

using Iterator = std::string_view::const_iterator;
using Found = boost::iterator_range<Iterator>;

// X3 descends one call per bracket. Deeper text is taken for no JSON; an array
// that holds another is refused anyhow.
constexpr int kMaxDepth = 100;

const auto space = x3::omit[*x3::char_(" \t\r\n")];
const auto digit = x3::char_("0-9");
const auto hex = x3::char_("0-9a-fA-F");

const auto escape = '\\' >>
                    (x3::char_("\"\\/bfnrt") | ('u' >> x3::repeat(4)[hex]));
const auto control = x3::char_('\x00', '\x1f');
const auto string =
    x3::omit['"' >> *(escape | (x3::char_ - '"' - '\\' - control)) >> '"'];
const auto number =
    x3::omit[-x3::lit('-') >> ('0' | (x3::char_("1-9") >> *digit)) >>
             -('.' >> +digit) >>
             -(x3::char_("eE") >> -x3::char_("+-") >> +digit)];

const x3::rule<struct value_tag> value = "JSON value";
const auto member = string >> space >> ':' >> space >> value >> space;
const auto value_def =
    string | number | "true" | "false" | "null" |
    ('[' >> space >> -((value >> space) % (',' >> space)) >> ']') |
    ('{' >> space >> -(member % (',' >> space)) >> '}');

BOOST_SPIRIT_DEFINE(value)

const auto elements = (x3::raw[value] >> space) % (',' >> space);
const auto array =
    space >> '[' >> space >> -elements >> ']' >> space >> x3::eoi;

bool too_deep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\')
      ++i;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '[' || c == '{') && ++depth > kMaxDepth)
      return true;
    else if (!quoted && (c == ']' || c == '}'))
      --depth;
  }
  return false;
}

char32_t hex_value(std::string_view digits) {
  char32_t rune = 0;
  for (const char c : digits)
    rune = rune * 16 +
           static_cast<char32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  return rune;
}

bool is_surrogate(char32_t rune, char32_t first) {
  return rune >= first && rune < first + 0x400;
}

// The character of \uXXXX; `at` is behind it. Half a pair is U+FFFD.
char32_t unicode_escape(std::string_view text, std::size_t& at) {
  const char32_t high = hex_value(text.substr(at, 4));
  at += 4;
  if (is_surrogate(high, 0xd800) && text.substr(at, 2) == "\\u") {
    const char32_t low = hex_value(text.substr(at + 2, 4));
    if (is_surrogate(low, 0xdc00)) {
      at += 6;
      return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
  }
  return high >= 0xd800 && high < 0xe000 ? 0xfffd : high;
}

// `text` is a valid JSON string with its quotes.
std::string unquoted(std::string_view text) {
  static constexpr std::string_view letters = "bfnrt";
  static constexpr std::string_view meanings = "\b\f\n\r\t";
  text = text.substr(1, text.size() - 2);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const Rune rune = rune_at(text, at);
    at += rune.size;
    if (rune.value != '\\') {
      append_rune(out, rune.value >= kBadByte ? 0xfffd : rune.value);
      continue;
    }
    const char c = text[at++];
    const std::size_t letter = letters.find(c);
    if (c == 'u')
      append_rune(out, unicode_escape(text, at));
    else
      out += letter == std::string_view::npos ? c : meanings[letter];
  }
  return out;
}

}  // namespace

std::optional<JsonArray> json_array(std::string_view text) {
  const auto given = text.begin();
  text = trim_space(text);
  if (!text.starts_with('[') || too_deep(text)) return std::nullopt;
  std::vector<Found> found;
  if (!x3::parse(text.begin(), text.end(), array, found)) return std::nullopt;
  JsonArray result;
  result.words.emplace();
  for (const Found& element : found) {
    if (*element.begin() != '"') return JsonArray{};
    const Range range{static_cast<std::size_t>(element.begin() - given),
                      static_cast<std::size_t>(element.end() - given)};
    result.words->push_back(
        {unquoted({element.begin(), element.end()}), range});
  }
  return result;
}

}  // namespace cbuild::parser
