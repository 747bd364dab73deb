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

const auto blank = x3::omit[+x3::char_("\t\v\f\r ")];
const auto word = x3::raw[+(x3::char_ - x3::char_("\t\v\f\r "))];
// Not no_case[]: it looks at bytes above 0x7f through tolower().
const auto as = x3::omit[x3::char_("aA") >> x3::char_("sS")];
const auto name = (blank >> as >> blank >> word) | x3::raw[x3::eps];

const auto lower = x3::char_("a-z");
const auto name_tail = lower | x3::char_("0-9_.") | x3::char_('-');
const auto stage_name = x3::omit[lower >> *name_tail] >> x3::eoi;

}  // namespace

FromWords from_words(std::string_view text) {
  std::tuple<Found, Found> found;
  if (!x3::parse(text.begin(), text.end(), word >> name >> x3::eoi, found))
    throw Error("FROM requires either one or three arguments");
  const auto& [base, stage] = found;
  const auto range_of = [&](const Found& part) {
    return Range{static_cast<std::size_t>(part.begin() - text.begin()),
                 static_cast<std::size_t>(part.end() - text.begin())};
  };
  if (stage.empty()) return {range_of(base), std::nullopt};
  const Range range = range_of(stage);
  const std::string_view written =
      text.substr(range.begin, range.end - range.begin);
  const std::string lowered = to_lower(written);
  if (!x3::parse(lowered.begin(), lowered.end(), stage_name))
    throw PlacedError("invalid name for build stage: " + go_quote(written) +
                          ", name can't start with a number or contain symbols",
                      range);
  return {range_of(base), range};
}

}  // namespace cbuild::parser
