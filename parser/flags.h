// The flags of one instruction against the ones it knows: private to parser/.
//
//   FlagSet flags(line, split);
//   flags.text("chown");  flags.boolean("link");  flags.list("exclude");
//   flags.check();        // throws SyntaxError at the flag that is wrong
//   flags.word("chown");
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parser/ast.h"
#include "parser/lines.h"

namespace cbuild::parser {

class FlagSet {
 public:
  FlagSet(const LineText& line, const Split& split)
      : line_(line), split_(split) {}

  // What there is.
  void boolean(std::string name) { add(std::move(name), Kind::boolean); }
  void text(std::string name) { add(std::move(name), Kind::text); }
  void list(std::string name) { add(std::move(name), Kind::list); }

  // Reads the flags that were given. Throws SyntaxError with BuildKit's
  // wording for the first that is wrong.
  void check();

  // What was given: the value of a text flag, nullopt if not given or empty.
  std::optional<Word> word(std::string_view name) const;
  // The values of a list flag.
  std::vector<Word> words(std::string_view name) const;
  // The value of a boolean flag, nullopt if not given.
  std::optional<bool> truth(std::string_view name) const;
  bool given(std::string_view name) const;
  // The place of a flag's value, or of the line.
  Span span(std::string_view name) const;

 private:
  enum class Kind { boolean, text, list };
  struct Known {
    std::string name;
    Kind kind;
    std::vector<Word> values;
  };

  void add(std::string name, Kind kind) {
    known_.push_back({std::move(name), kind, {}});
  }
  const Known* find(std::string_view name) const;
  void take(const Flag& flag);
  std::string boolean_value(const std::string& name,
                            const std::optional<std::string>& value) const;

  const LineText& line_;
  const Split& split_;
  std::vector<Known> known_;
};

}  // namespace cbuild::parser
