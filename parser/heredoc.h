// Heredocs: what a `<<WORD` is, and what a RUN with some gives to its shell
// (reference/peers.md 1.8).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parser/ast.h"

namespace cbuild::parser {

// `<<NAME`, `3<<-"NAME"`: a Heredoc without body; nullopt for a word that is
// none. Throws ExpandError for unbalanced quotes.
std::optional<Heredoc> parse_heredoc_word(std::string_view word);

// The words of a line among which the heredocs are.
std::vector<std::string> heredoc_candidates(std::string_view line);

std::string without_leading_tabs(std::string_view text);

// The whole command is one heredoc: its body is the script. Otherwise the
// shell reads the heredocs itself.
bool is_lone_heredoc(const Run& run);

// The text of a shell-form RUN for its shell: the body of a lone heredoc, or
// the command with the bodies put back below it.
std::string shell_text(const Run& run);

}  // namespace cbuild::parser
