// A split line to a node of the tree: private to parser/.
//
// One function per instruction, found by typed_node(). They throw SyntaxError
// where a place is known, and Error for the instruction as a whole, both with
// BuildKit's wording.
#pragma once

#include <string>

#include "parser/ast.h"
#include "parser/lines.h"

namespace cbuild::parser {

struct Typing {
  const RawInstruction& raw;
  const Split& split;

  const LineText& line() const { return raw.line; }
  const std::vector<Argument>& arguments() const { return split.arguments; }
  Word word(const Argument& argument) const {
    return {argument.text, line().span_of(argument.begin, argument.end)};
  }
  std::string keyword() const;  // upper case
  // Throws unless there is one argument, or at least one.
  void need_one_argument() const;
  void need_arguments() const;
  // Throws if there is a flag, for instructions that have none.
  void need_no_flags() const;
};

Node typed_node(const RawInstruction& raw);

// The description of `name` in the comments above its definition.
std::string doc_comment(const std::vector<std::string>& comments,
                        std::string_view name);

Node typed_from(const Typing& typing);
Node typed_copy(const Typing& typing);
Node typed_add(const Typing& typing);
Node typed_run(const Typing& typing);
Node typed_cmd(const Typing& typing);
Node typed_entrypoint(const Typing& typing);
Node typed_shell(const Typing& typing);
Node typed_healthcheck(const Typing& typing);
Node typed_onbuild(const Typing& typing);
Node typed_env(const Typing& typing);
Node typed_label(const Typing& typing);
Node typed_arg(const Typing& typing);

}  // namespace cbuild::parser
