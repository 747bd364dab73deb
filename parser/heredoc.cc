#include "parser/heredoc.h"

#include <algorithm>

#include "parser/expand.h"
#include "parser/runes.h"

namespace cbuild::parser {
namespace {

const Lookup kNoVariables = [](std::string_view) { return std::nullopt; };

std::size_t quotes_in(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return c == '\'' || c == '"'; }));
}

// BuildKit loses what stands in front of a ${name-word}, so that "<<${X:-y}" is
// a heredoc for no one.
bool has_operator(std::string_view word) {
  for (std::size_t at = word.find("${"); at != std::string_view::npos;
       at = word.find("${", at + 2)) {
    const std::size_t end = word.find_first_of("}:+-?#%/", at + 2);
    if (end != std::string_view::npos && word[end] != '}') return true;
  }
  return false;
}

unsigned descriptor_of(std::string_view digits) {
  unsigned value = 0;
  for (const char c : digits) {
    if (value > 100'000'000) break;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

}  // namespace

std::optional<Heredoc> parse_heredoc_word(std::string_view word) {
  Heredoc heredoc;
  const std::size_t digits =
      std::min(word.find_first_not_of("0123456789"), word.size());
  heredoc.descriptor = descriptor_of(word.substr(0, digits));
  word.remove_prefix(digits);
  if (!word.starts_with("<<")) return std::nullopt;
  word.remove_prefix(2);
  heredoc.chomp = word.starts_with('-');
  if (heredoc.chomp) word.remove_prefix(1);
  word.remove_prefix(
      std::min(word.find_first_not_of("\t\n\f\r "), word.size()));
  if (word.empty() || word.find('<') != std::string_view::npos)
    return std::nullopt;

  // The name with and without its quotes: fewer quotes without means that some
  // part was quoted, and then the body is not expanded.
  ExpandOptions options{.skip_unset = true};
  const std::vector<std::string> names =
      expand_words(word, kNoVariables, options);
  if (names.size() != 1) return std::nullopt;
  options.raw_quotes = true;
  const std::vector<std::string> quoted =
      expand_words(word, kNoVariables, options);
  heredoc.name = names[0];
  heredoc.expand =
      quoted.size() == 1 && quotes_in(names[0]) == quotes_in(quoted[0]);
  return heredoc;
}

std::vector<std::string> heredoc_candidates(std::string_view line) {
  const ExpandOptions options{
      .raw_quotes = true, .raw_escapes = true, .skip_unset = true};
  try {
    std::vector<std::string> words = expand_words(line, kNoVariables, options);
    std::erase_if(words, has_operator);
    return words;
  } catch (const ExpandError&) {
    return {};  // a line the shell may understand has no heredocs for us
  }
}

std::string without_leading_tabs(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && c == '\t') continue;
    out += c;
    line_start = c == '\n';
  }
  return out;
}

bool is_lone_heredoc(const Run& run) {
  if (run.heredocs.empty() || !run.command.shell) return false;
  try {
    return parse_heredoc_word(run.command.argv.at(0)).has_value();
  } catch (const ExpandError&) {
    return false;
  }
}

std::string shell_text(const Run& run) {
  if (is_lone_heredoc(run)) return run.heredocs[0].content;
  std::string text = run.command.argv.empty() ? "" : run.command.argv[0];
  for (const Heredoc& heredoc : run.heredocs)
    text += '\n' + heredoc.written + heredoc.name;
  return text;
}

}  // namespace cbuild::parser
