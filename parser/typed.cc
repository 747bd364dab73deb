#include "parser/typed.h"

#include <algorithm>

#include "base/text.h"
#include "parser/flags.h"
#include "parser/runes.h"

namespace cbuild::parser {
namespace {

Node typed_expose(const Typing& typing) {
  typing.need_arguments();
  typing.need_no_flags();
  Expose expose;
  for (const Argument& argument : typing.arguments())
    expose.ports.push_back(typing.word(argument));
  std::stable_sort(expose.ports.begin(), expose.ports.end(),
                   [](const Word& a, const Word& b) { return a.raw < b.raw; });
  return expose;
}

Node typed_volume(const Typing& typing) {
  typing.need_arguments();
  typing.need_no_flags();
  Volume volume;
  for (const Argument& argument : typing.arguments()) {
    Word path = typing.word(argument);
    path.raw = std::string(trim_space(path.raw));
    if (path.raw.empty())
      throw Error("VOLUME specified can not be an empty string");
    volume.paths.push_back(std::move(path));
  }
  return volume;
}

Node typed_user(const Typing& typing) {
  typing.need_one_argument();
  typing.need_no_flags();
  return User{typing.word(typing.arguments()[0])};
}

Node typed_workdir(const Typing& typing) {
  typing.need_one_argument();
  typing.need_no_flags();
  return Workdir{typing.word(typing.arguments()[0])};
}

// Its flags are not looked at.
Node typed_stop_signal(const Typing& typing) {
  typing.need_one_argument();
  return StopSignal{typing.word(typing.arguments()[0])};
}

Node typed_maintainer(const Typing& typing) {
  typing.need_one_argument();
  typing.need_no_flags();
  return Maintainer{typing.arguments()[0].text};
}

struct Known {
  const char* keyword;  // lower case
  Node (*type)(const Typing&);
};

constexpr Known kInstructions[] = {
    {"add", typed_add},
    {"arg", typed_arg},
    {"cmd", typed_cmd},
    {"copy", typed_copy},
    {"entrypoint", typed_entrypoint},
    {"env", typed_env},
    {"expose", typed_expose},
    {"from", typed_from},
    {"healthcheck", typed_healthcheck},
    {"label", typed_label},
    {"maintainer", typed_maintainer},
    {"onbuild", typed_onbuild},
    {"run", typed_run},
    {"shell", typed_shell},
    {"stopsignal", typed_stop_signal},
    {"user", typed_user},
    {"volume", typed_volume},
    {"workdir", typed_workdir},
};

[[noreturn]] void unknown_instruction(const Typing& typing) {
  const std::string& keyword = typing.split.keyword;
  const bool upper = keyword == to_upper(keyword);
  std::vector<std::string> names;
  for (const Known& known : kInstructions)
    names.push_back(upper ? to_upper(known.keyword) : known.keyword);
  const std::size_t begin = typing.split.keyword_begin;
  throw SyntaxError(
      {{"unknown instruction: " + keyword + did_you_mean(keyword, names, true),
        typing.line().span_of(begin, begin + keyword.size()),
        {}}});
}

}  // namespace

std::string Typing::keyword() const { return to_upper(split.keyword); }

void Typing::need_one_argument() const {
  if (arguments().size() != 1)
    throw Error(keyword() + " requires exactly one argument");
}

void Typing::need_arguments() const {
  if (arguments().empty())
    throw Error(keyword() + " requires at least one argument");
}

void Typing::need_no_flags() const { FlagSet(line(), split).check(); }

std::string doc_comment(const std::vector<std::string>& comments,
                        std::string_view name) {
  if (name.empty()) return {};
  const std::string start = std::string(name) + " ";
  for (const std::string& comment : comments)
    if (comment.starts_with(start)) return comment.substr(start.size());
  return {};
}

Node typed_node(const RawInstruction& raw) {
  const Typing typing{raw, raw.split};
  for (const Known& known : kInstructions)
    if (equals_ignore_case(known.keyword, raw.split.keyword))
      return known.type(typing);
  unknown_instruction(typing);
}

}  // namespace cbuild::parser
