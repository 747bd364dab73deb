#include <charconv>

#include "base/text.h"
#include "parser/flags.h"
#include "parser/grammar.h"
#include "parser/typed.h"

namespace cbuild::parser {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;

[[noreturn]] void fail(const FlagSet& flags, const char* name,
                       std::string message) {
  throw SyntaxError({{std::move(message), flags.span(name), {}}});
}

std::int64_t interval(const FlagSet& flags, const char* name) {
  const std::optional<Word> word = flags.word(name);
  if (!word) return 0;
  std::int64_t value = 0;
  try {
    value = duration(word->raw);
  } catch (const Error& e) {
    fail(flags, name, e.what());
  }
  if (value != 0 && value < kMillisecond)
    fail(flags, name,
         "Interval " + go_quote(name) + " cannot be less than 1ms");
  return value;
}

int retries(const FlagSet& flags) {
  const std::optional<Word> word = flags.word("retries");
  if (!word) return 0;
  std::string_view digits = word->raw;
  // Go takes a '+'; from_chars does not.
  if (digits.starts_with('+') && !digits.starts_with("+-"))
    digits.remove_prefix(1);
  int value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, code] = std::from_chars(digits.data(), end, value);
  const std::string parsing =
      "strconv.ParseInt: parsing " + go_quote(word->raw);
  if (stop != end || code == std::errc::invalid_argument)
    fail(flags, "retries", parsing + ": invalid syntax");
  if (code != std::errc())
    fail(flags, "retries", parsing + ": value out of range");
  if (value < 0)
    fail(flags, "retries",
         "--retries cannot be negative (" + std::to_string(value) + ")");
  return value;
}

// {"CMD", "a", "b"} or {"CMD-SHELL", "a b"}.
std::vector<std::string> test_of(const Typing& typing) {
  const std::vector<Argument>& arguments = typing.arguments();
  const std::string type = to_upper(arguments[0].text);
  if (type != "CMD")
    throw Error("Unknown type " + go_quote(type) + " in HEALTHCHECK (try CMD)");
  if (arguments.size() < 2)
    throw Error("Missing command after HEALTHCHECK CMD");
  std::vector<std::string> test = {typing.split.json ? "CMD" : "CMD-SHELL"};
  for (std::size_t i = 1; i < arguments.size(); ++i)
    test.push_back(arguments[i].text);
  return test;
}

}  // namespace

Node typed_healthcheck(const Typing& typing) {
  typing.need_arguments();
  Healthcheck check;
  if (equals_ignore_case(typing.arguments()[0].text, "NONE")) {
    if (typing.arguments().size() > 1)
      throw Error("HEALTHCHECK NONE takes no arguments");
    check.test = {"NONE"};
    return check;
  }
  FlagSet flags(typing.line(), typing.split);
  for (const char* name :
       {"interval", "timeout", "start-period", "start-interval", "retries"})
    flags.text(name);
  flags.check();

  check.test = test_of(typing);
  check.interval = interval(flags, "interval");
  check.timeout = interval(flags, "timeout");
  check.start_period = interval(flags, "start-period");
  check.start_interval = interval(flags, "start-interval");
  check.retries = retries(flags);
  return check;
}

}  // namespace cbuild::parser
