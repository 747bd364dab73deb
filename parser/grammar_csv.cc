#include <fmt/format.h>

#include <boost/spirit/home/x3.hpp>

#include "base/error.h"
#include "parser/grammar.h"

namespace cbuild::parser {
namespace {

namespace x3 = boost::spirit::x3;

const auto doubled = "\"\"" >> x3::attr('"');
const x3::rule<struct quoted_tag, std::string> quoted = "quoted field";
const auto quoted_def = '"' > *((x3::char_ - '"') | doubled) > '"';
const x3::rule<struct plain_tag, std::string> plain = "field";
const auto plain_def = *(x3::char_ - x3::char_(",\""));

const auto record = (quoted | plain) % ',';

BOOST_SPIRIT_DEFINE(quoted, plain)

[[noreturn]] void fail(std::size_t at, std::string_view what) {
  throw Error(
      fmt::format("parse error on line 1, column {}: {}", at + 1, what));
}

constexpr std::string_view kBadQuoted =
    "extraneous or missing \" in quoted-field";

}  // namespace

std::vector<std::string> csv_fields(std::string_view text) {
  if (text.empty()) throw Error("EOF");
  std::vector<std::string> fields;
  auto it = text.begin();
  try {
    x3::parse(it, text.end(), record, fields);
  } catch (const x3::expectation_failure<decltype(it)>& e) {
    fail(static_cast<std::size_t>(e.where() - text.begin()), kBadQuoted);
  }
  if (it == text.end()) return fields;
  const auto stop = static_cast<std::size_t>(it - text.begin());
  if (*it == '"') fail(stop, "bare \" in non-quoted field");
  fail(stop - 1, kBadQuoted);
}

}  // namespace cbuild::parser
