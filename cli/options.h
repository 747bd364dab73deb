// What a command line may hold, as a table, and what one did hold.
//
// A command's flags are rows of a table; parse() makes the parser for the one
// command that was chosen, so that starting costs what that command needs. The
// same rows are what `help` prints. Spelling follows docker's (pflag):
// --name value, --name=value, -n value, -nvalue, -abc for switches,
// --name=false for a switch, `--` before arguments that begin with a dash.
#pragma once

#include <array>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace cbuild::cli {

enum class Takes {
  nothing,   // a switch
  optional,  // a value, but only after "="; may be given again
  one,      // a value; given twice, the last one counts
  many,     // a value; may be given again
};

struct Flag {
  const char* group;  // heading in the help
  const char* names;  // "-t,--tag"; the long name comes last
  Takes takes;
  const char* value;  // what the help calls the value: "NAME[:TAG]"
  const char* help;
};

// A flag that docker, buildx or buildah has and cbuild has not: giving it is an
// error that says so, never ignored.
struct RefusedFlag {
  const char* names;
  Takes takes;
  const char* reason;
  // A value that asks for what happens anyway ("false"), or nullptr.
  const char* harmless = nullptr;
};

// The flags of one command: its own and those it shares with others.
struct FlagTable {
  std::array<std::span<const Flag>, 4> parts;
  std::span<const RefusedFlag> refused = {};
};

// All rows of all parts, in order.
std::vector<const Flag*> all_flags(const FlagTable& table);

// A parsed command line. Flags go by their long name without dashes; asking for
// one that is not in the table is a mistake of the program and aborts.
class Arguments {
 public:
  // A switch that is on, or a value that was given.
  bool has(const std::string& name) const;
  // A switch that was given and is off: --human=false.
  bool switched_off(const std::string& name) const;
  // The last value given, or `fallback`.
  std::string value(const std::string& name, std::string fallback = "") const;
  const std::vector<std::string>& values(const std::string& name) const;
  const std::vector<std::string>& words() const { return words_; }

 private:
  friend Arguments parse(const FlagTable& table,
                         const std::vector<std::string>& arguments);
  std::map<std::string, std::vector<std::string>> values_;
  std::set<std::string> off_;
  std::vector<std::string> words_;
};

// Throws UsageError for an unknown flag (with the nearest known one), a missing
// value and a refused flag.
Arguments parse(const FlagTable& table,
                const std::vector<std::string>& arguments);

// "tag" of "-t,--tag".
std::string long_name(std::string_view names);

}  // namespace cbuild::cli
