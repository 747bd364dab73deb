#include <boost/fusion/include/std_tuple.hpp>
#include <boost/spirit/home/x3.hpp>
#include <tuple>

#include "base/error.h"
#include "base/text.h"
#include "parser/grammar.h"

namespace cbuild::parser {
namespace {

namespace x3 = boost::spirit::x3;

using Iterator = std::string_view::const_iterator;
using Found = boost::iterator_range<Iterator>;

Range range_of(std::string_view text, const Found& found) {
  return {static_cast<std::size_t>(found.begin() - text.begin()),
          static_cast<std::size_t>(found.end() - text.begin())};
}

std::vector<Range> ranges_of(std::string_view text,
                             const std::vector<Found>& found) {
  std::vector<Range> ranges;
  ranges.reserve(found.size());
  for (const Found& word : found) ranges.push_back(range_of(text, word));
  return ranges;
}

// Go's regular expression for the blanks between plain words.
const auto blank = x3::char_("\t\v\f\r ");
const auto plain_word = x3::raw[+(x3::char_ - blank)];
const auto blanks = x3::omit[*blank];
const auto plain_words = blanks >> *(plain_word >> blanks);

// unicode.IsSpace, in UTF-8. A symbol table and not x3::space, which aborts on
// bytes above 0x7f (assert in Boost 1.74).
const x3::symbols<> space{
    {"\t",     "\n",     "\v",     "\f",     "\r",     " ",      "\u0085",
     "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004",
     "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200a", "\u2028",
     "\u2029", "\u202f", "\u205f", "\u3000"},
    ""};

}  // namespace

std::vector<Range> blank_words(std::string_view text) {
  std::vector<Found> found;
  x3::parse(text.begin(), text.end(), plain_words, found);
  return ranges_of(text, found);
}

std::vector<Range> quoted_words(std::string_view text, char escape) {
  const auto mark = x3::lit(escape);
  const auto escaped = mark >> x3::omit[x3::char_];
  const auto single =
      x3::lit('\'') >> x3::omit[*(x3::char_ - '\'')] >> ('\'' | x3::eoi);
  const auto within = escaped | x3::omit[x3::char_ - '"' - mark];
  const auto unclosed = &(-mark >> x3::eoi);
  const auto quoted = x3::lit('"') >> *within >> ('"' | unclosed);
  const auto plain = x3::omit[x3::char_ - space - mark];
  const auto word = x3::raw[+(escaped | single | quoted | plain)];
  const auto words = *space >> *(word >> -(mark >> x3::eoi) >> *space);

  std::vector<Found> found;
  x3::parse(text.begin(), text.end(), words, found);
  return ranges_of(text, found);
}

std::vector<Pair> name_value_pairs(std::string_view text, char escape,
                                   std::string_view keyword) {
  const std::vector<Range> words = quoted_words(text, escape);
  const auto text_of = [&](const Range& range) {
    return text.substr(range.begin, range.end - range.begin);
  };
  if (words.empty()) return {};
  if (text_of(words[0]).find('=') == std::string_view::npos) {
    const auto old_form = plain_word >> x3::omit[+blank] >> x3::raw[*x3::char_];
    std::tuple<Found, Found> found;
    if (!x3::parse(text.begin(), text.end(), old_form, found))
      throw Error(std::string(keyword) + " must have two arguments");
    const auto& [name, value] = found;
    return {{range_of(text, name), range_of(text, value), false}};
  }
  std::vector<Pair> pairs;
  for (const Range& word : words) {
    const std::size_t equals = text_of(word).find('=');
    if (equals == std::string_view::npos)
      throw PlacedError("Syntax error - can't find = in " +
                            go_quote(text_of(word)) +
                            ". Must be of the form: name=value",
                        word);
    const std::size_t at = word.begin + equals;
    pairs.push_back({{word.begin, at}, {at + 1, word.end}, true});
  }
  return pairs;
}

}  // namespace cbuild::parser
