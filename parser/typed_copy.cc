#include "parser/expand.h"
#include "parser/flags.h"
#include "parser/heredoc.h"
#include "parser/typed.h"

namespace cbuild::parser {
namespace {

// A word that the heredoc rules cannot read is a plain path.
std::optional<Heredoc> heredoc_of(const std::string& word) {
  try {
    return parse_heredoc_word(word);
  } catch (const ExpandError&) {
    return std::nullopt;
  }
}

// The heredoc of a name as it was read below the line; the last of equals.
Heredoc with_body(Heredoc heredoc, const std::vector<Heredoc>& read) {
  for (const Heredoc& candidate : read) {
    if (candidate.name != heredoc.name) continue;
    heredoc.written = candidate.written;
  }
  heredoc.content =
      heredoc.chomp ? without_leading_tabs(heredoc.written) : heredoc.written;
  return heredoc;
}

void need_destination(const Typing& typing) {
  if (typing.arguments().size() < 2)
    throw Error(typing.keyword() +
                " requires at least two arguments, but only one was provided. "
                "Destination could not be determined");
}

void read_paths(const Typing& typing, Copy& copy) {
  const std::vector<Argument>& arguments = typing.arguments();
  if (heredoc_of(arguments.back().text)) {
    const Span span = typing.word(arguments.back()).span;
    throw SyntaxError(
        {{typing.keyword() + " cannot accept a heredoc as a destination",
          span,
          {}}});
  }
  copy.destination = typing.word(arguments.back());
  for (std::size_t i = 0; i + 1 < arguments.size(); ++i) {
    std::optional<Heredoc> heredoc = heredoc_of(arguments[i].text);
    if (heredoc)
      copy.heredocs.push_back(
          with_body(std::move(*heredoc), typing.raw.heredocs));
    else
      copy.sources.push_back(typing.word(arguments[i]));
  }
}

void declare_common(FlagSet& flags) {
  flags.text("chown");
  flags.text("chmod");
  flags.boolean("link");
  flags.list("exclude");
}

void read_common(const FlagSet& flags, Copy& copy) {
  copy.chown = flags.word("chown");
  copy.chmod = flags.word("chmod");
  copy.link = flags.truth("link").value_or(false);
  for (const Word& pattern : flags.words("exclude"))
    copy.exclude.push_back(pattern.raw);
}

}  // namespace

Node typed_copy(const Typing& typing) {
  need_destination(typing);
  FlagSet flags(typing.line(), typing.split);
  declare_common(flags);
  flags.text("from");
  flags.boolean("parents");
  flags.check();

  Copy copy;
  read_paths(typing, copy);
  read_common(flags, copy);
  if (const std::optional<Word> from = flags.word("from")) {
    copy.from = from->raw;
    copy.from_span = from->span;
  }
  copy.parents = flags.truth("parents").value_or(false);
  return copy;
}

Node typed_add(const Typing& typing) {
  need_destination(typing);
  FlagSet flags(typing.line(), typing.split);
  declare_common(flags);
  flags.boolean("keep-git-dir");
  flags.text("checksum");
  flags.boolean("unpack");
  flags.check();

  Copy copy;
  copy.add = true;
  read_paths(typing, copy);
  read_common(flags, copy);
  copy.keep_git_dir = flags.truth("keep-git-dir");
  copy.checksum = flags.word("checksum");
  copy.unpack = flags.truth("unpack");
  return copy;
}

}  // namespace cbuild::parser
