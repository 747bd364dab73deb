// What names values: ENV, LABEL, ARG.
#include "parser/flags.h"
#include "parser/typed.h"

namespace cbuild::parser {
namespace {

std::vector<KeyValue> pairs_of(const Typing& typing) {
  typing.need_no_flags();
  typing.need_arguments();
  std::vector<KeyValue> pairs;
  const std::vector<Argument>& arguments = typing.arguments();
  for (std::size_t i = 0; i + 2 < arguments.size(); i += 3) {
    if (arguments[i].text.empty())
      throw Error(typing.keyword() + " names can not be blank");
    pairs.push_back({typing.word(arguments[i]), typing.word(arguments[i + 1]),
                     arguments[i + 2].text.empty()});
  }
  return pairs;
}

}  // namespace

Node typed_env(const Typing& typing) { return Env{pairs_of(typing)}; }

Node typed_label(const Typing& typing) { return Label{pairs_of(typing)}; }

// Its flags are not looked at.
Node typed_arg(const Typing& typing) {
  typing.need_arguments();
  Arg arg;
  for (const Argument& argument : typing.arguments()) {
    const std::size_t equals = argument.text.find('=');
    if (equals == 0) throw Error("ARG names can not be blank");
    ArgDeclaration declaration;
    if (equals == std::string::npos) {
      declaration.name = typing.word(argument);
    } else {
      const std::size_t split = argument.begin + equals;
      declaration.name = {argument.text.substr(0, equals),
                          typing.line().span_of(argument.begin, split)};
      declaration.value = {argument.text.substr(equals + 1),
                           typing.line().span_of(split + 1, argument.end)};
    }
    declaration.doc = doc_comment(typing.raw.comments, declaration.name.raw);
    arg.declarations.push_back(std::move(declaration));
  }
  return arg;
}

}  // namespace cbuild::parser
