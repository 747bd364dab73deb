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

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kLimit = std::uint64_t{1} << 63;

const x3::symbols<std::uint64_t> units{{{"ns", 1},
                                        {"us", 1000},
                                        {"\u00b5s", 1000},  // micro sign
                                        {"\u03bcs", 1000},  // Greek letter mu
                                        {"ms", 1'000'000},
                                        {"s", kSecond},
                                        {"m", 60 * kSecond},
                                        {"h", 3600 * kSecond}},
                                       ""};

const auto digit = x3::char_("0-9");
const auto unit_name = x3::raw[*(x3::char_ - digit - '.')];
const auto fraction_part = ('.' >> x3::raw[*digit]) | x3::raw[x3::eps];
const auto component = x3::raw[*digit] >> fraction_part >> unit_name;

[[noreturn]] void invalid(std::string_view text) {
  throw Error("time: invalid duration " + go_quote(text));
}

std::uint64_t unit_of(const Found& name, std::string_view text) {
  if (name.empty())
    throw Error("time: missing unit in duration " + go_quote(text));
  std::uint64_t unit = 0;
  if (!x3::parse(name.begin(), name.end(), units >> x3::eoi, unit))
    throw Error("time: unknown unit " +
                go_quote(std::string(name.begin(), name.end())) +
                " in duration " + go_quote(text));
  return unit;
}

// 2.5h: the digits before and after the point, and the unit.
std::uint64_t nanoseconds(const Found& whole, const Found& fraction,
                          std::uint64_t unit, std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : whole) {
    if (value > kLimit / 10) invalid(text);
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (value > kLimit / unit) invalid(text);
  double scaled = 0;
  double place = 1;
  for (const char c : fraction) {
    place *= 10;
    scaled = scaled * 10 + (c - '0');
    if (place > 1e17) break;
  }
  return value * unit + static_cast<std::uint64_t>(
                            scaled * (static_cast<double>(unit) / place));
}

}  // namespace

std::int64_t duration(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return 0;
  if (rest.empty()) invalid(text);
  std::uint64_t total = 0;
  for (auto it = rest.begin(); it != rest.end();) {
    std::tuple<Found, Found, Found> found;
    const auto start = it;
    x3::parse(it, rest.end(), component, found);
    const auto& [whole, fraction, unit] = found;
    if (it == start || (whole.empty() && fraction.empty())) invalid(text);
    total += nanoseconds(whole, fraction, unit_of(unit, text), text);
    if (total > kLimit) invalid(text);
  }
  if (total == kLimit && !negative) invalid(text);
  return static_cast<std::int64_t>(negative ? ~total + 1 : total);
}

}  // namespace cbuild::parser
