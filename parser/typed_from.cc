#include "base/text.h"
#include "parser/flags.h"
#include "parser/grammar.h"
#include "parser/runes.h"
#include "parser/typed.h"

namespace cbuild::parser {

namespace {

FromWords words_of(const Typing& typing, std::string_view arguments,
                   std::size_t begin) {
  try {
    return from_words(arguments);
  } catch (const PlacedError& e) {
    throw SyntaxError(
        {{e.what(),
          typing.line().span_of(begin + e.range().begin, begin + e.range().end),
          {}}});
  }
}

}  // namespace

Node typed_from(const Typing& typing) {
  const std::size_t begin = typing.split.arguments_begin;
  const std::string_view arguments =
      trim_space(std::string_view(typing.line().text).substr(begin));
  const FromWords words = words_of(typing, arguments, begin);
  FlagSet flags(typing.line(), typing.split);
  flags.text("platform");
  flags.check();

  const auto word = [&](const Range& range) {
    return Word{
        std::string(arguments.substr(range.begin, range.end - range.begin)),
        typing.line().span_of(begin + range.begin, begin + range.end)};
  };
  From from;
  from.base = word(words.base);
  from.platform = flags.word("platform");
  if (words.name) {
    const Word name = word(*words.name);
    from.name = to_lower(name.raw);
    from.name_span = name.span;
  }
  return from;
}

namespace {

// "ONBUILD RUN x" -> "RUN x"; the bodies of its heredocs below.
std::string stored_form(const Typing& typing) {
  constexpr std::string_view blanks = "\t\n\f\r ";
  std::string_view text = typing.line().text;
  text.remove_prefix(typing.split.keyword_begin + typing.split.keyword.size());
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  std::string stored(text);
  for (const Heredoc& heredoc : typing.raw.heredocs)
    stored += '\n' + heredoc.written + heredoc.name;
  return stored;
}

}  // namespace

Node typed_onbuild(const Typing& typing) {
  if (typing.split.trigger.empty())
    throw Error("ONBUILD requires at least one argument");
  typing.need_no_flags();
  const std::string trigger = to_upper(typing.split.trigger[0].keyword);
  if (trigger == "ONBUILD")
    throw Error("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (trigger == "FROM" || trigger == "MAINTAINER")
    throw Error(trigger + " isn't allowed as an ONBUILD trigger");
  return Onbuild{stored_form(typing)};
}

}  // namespace cbuild::parser
