// The only file that knows CLI11.
#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/text.h"

namespace cbuild::cli {
namespace {

bool is_off(const std::string& value) {
  const std::string lower = to_lower(value);
  return lower == "false" || lower == "f" || lower == "0" || lower == "off" ||
         lower == "no";
}

void check_switch_values(const std::string& name,
                         const std::vector<std::string>& values) {
  static const std::vector<std::string> known = {
      "true", "t", "1", "on", "yes", "false", "f", "0", "off", "no"};
  for (const std::string& value : values) {
    if (std::find(known.begin(), known.end(), to_lower(value)) == known.end())
      throw UsageError("invalid value " + go_quote(value) + " for --" + name +
                       ": want true or false");
  }
}

CLI::Option* add(CLI::App& app, const char* names, Takes takes) {
  // A callback with no work keeps the values as the texts they are: CLI11
  // would otherwise convert them, and split "[a,b]" into a list.
  CLI::Option* option = app.add_option(
      names, CLI::callback_t([](const CLI::results_t&) { return true; }));
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  option->allow_extra_args(false);
  // A switch may have a value only with "=": --rm=false.
  if (takes == Takes::nothing || takes == Takes::optional) option->expected(0);
  return option;
}

// CLI11 reads "--name=" as "--name" and takes the next word for its value; and
// it takes the word after a switch for a value where the switch may have one.
// So both are taken apart here, with the table at hand.
struct Words {
  std::vector<std::string> rest;                              // for CLI11
  std::vector<std::pair<std::string, std::string>> switches;  // --x=value
};

std::vector<std::string> long_names(const FlagTable& table) {
  std::vector<std::string> names;
  for (const Flag* flag : all_flags(table))
    names.push_back("--" + long_name(flag->names));
  for (const RefusedFlag& flag : table.refused)
    names.push_back("--" + long_name(flag.names));
  return names;
}

Takes takes_of(const FlagTable& table, const std::string& name) {
  for (const Flag* flag : all_flags(table))
    if (long_name(flag->names) == name) return flag->takes;
  for (const RefusedFlag& flag : table.refused)
    if (long_name(flag.names) == name) return flag.takes;
  return Takes::many;
}

bool is_switch(const FlagTable& table, const std::string& name) {
  return takes_of(table, name) == Takes::nothing;
}

Words take_apart(const FlagTable& table,
                 const std::vector<std::string>& arguments) {
  Words words;
  bool only_words = false;
  for (const std::string& word : arguments) {
    const std::size_t equals = word.find('=');
    if (word == "--") only_words = true;
    if (only_words || !word.starts_with("--") || equals == std::string::npos) {
      words.rest.push_back(word);
      continue;
    }
    const std::string name = word.substr(2, equals - 2);
    std::string value = word.substr(equals + 1);
    if (is_switch(table, name) || takes_of(table, name) == Takes::optional) {
      words.switches.emplace_back(name, std::move(value));
    } else if (value.empty()) {
      words.rest.push_back("--" + name);
      words.rest.emplace_back();
    } else {
      words.rest.push_back(word);
    }
  }
  return words;
}

[[noreturn]] void throw_unknown(const FlagTable& table,
                                const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  std::string message =
      name.starts_with("--") ? "unknown flag: " : "unknown shorthand flag: ";
  throw UsageError(message + name + did_you_mean(name, long_names(table)));
}

void check_refused(const RefusedFlag& flag,
                   const std::vector<std::string>& values) {
  for (const std::string& value : values) {
    if (flag.harmless != nullptr && value == flag.harmless) continue;
    throw UsageError("--" + long_name(flag.names) +
                     " is not supported yet: " + flag.reason);
  }
}

void parse_words(CLI::App& app, const FlagTable& table,
                 std::vector<std::string> words) {
  std::reverse(words.begin(), words.end());  // what App::parse wants
  try {
    app.parse(std::move(words));
  } catch (const CLI::ArgumentMismatch& e) {
    throw UsageError(
        "flag needs a value: " +
        std::string(e.what()).substr(0, std::string_view(e.what()).find(':')));
  } catch (const CLI::ParseError& e) {
    throw UsageError(e.what());
  }
  // Positional words all have a place, so what is left over looks like a flag;
  // the mark before words that only look like flags is left over too.
  for (const std::string& word : app.remaining())
    if (word != "--") throw_unknown(table, word);
}

}  // namespace

std::vector<const Flag*> all_flags(const FlagTable& table) {
  std::vector<const Flag*> flags;
  for (std::span<const Flag> part : table.parts)
    for (const Flag& flag : part) flags.push_back(&flag);
  return flags;
}

std::string long_name(std::string_view names) {
  return std::string(names.substr(names.rfind("--") + 2));
}

bool Arguments::has(const std::string& name) const {
  return !values_.at(name).empty();
}

bool Arguments::switched_off(const std::string& name) const {
  return off_.contains(name);
}

std::string Arguments::value(const std::string& name,
                             std::string fallback) const {
  const std::vector<std::string>& given = values_.at(name);
  return given.empty() ? fallback : given.back();
}

const std::vector<std::string>& Arguments::values(
    const std::string& name) const {
  return values_.at(name);
}

Arguments parse(const FlagTable& table,
                const std::vector<std::string>& arguments) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::vector<std::pair<std::string, CLI::Option*>> options;
  for (const Flag* flag : all_flags(table))
    options.emplace_back(long_name(flag->names),
                         add(app, flag->names, flag->takes));
  for (const RefusedFlag& flag : table.refused)
    options.emplace_back(long_name(flag.names),
                         add(app, flag.names, flag.takes));
  CLI::Option* words = add(app, "words", Takes::many);
  // Wants more than there can be: CLI11 hands a word to a positional option
  // while that wants more, or is one that splits "[a,b]".
  words->expected(static_cast<int>(arguments.size()) + 1);

  Words parts = take_apart(table, arguments);
  parse_words(app, table, std::move(parts.rest));

  Arguments result;
  for (const auto& [name, option] : options) {
    std::vector<std::string>& values = result.values_[name];
    values = option->results();
    const bool optional = takes_of(table, name) == Takes::optional;
    if (!is_switch(table, name) && !optional) continue;
    // Without "=" CLI11 reports how often a switch was given.
    for (std::string& value : values) value = optional ? "" : "true";
    for (const auto& [given, value] : parts.switches)
      if (given == name) values.push_back(value);
    if (optional) continue;
    check_switch_values(name, values);
    if (values.empty() || !is_off(values.back())) continue;
    values.clear();
    result.off_.insert(name);
  }
  for (const RefusedFlag& flag : table.refused)
    check_refused(flag, result.values_[long_name(flag.names)]);
  result.words_ = words->results();
  return result;
}

}  // namespace cbuild::cli
