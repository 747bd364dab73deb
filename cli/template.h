// --format: docker's ways to say how a listing is printed.
#pragma once

#include <string>
#include <vector>

namespace cbuild::cli {

// A row's fields by docker's names, in the order `json` prints them.
using Row = std::vector<std::pair<std::string, std::string>>;

// Prints rows as --format says: "" and "table" (the given columns), "json" (an
// object a line), "{{.Field}}" texts with fields put in (\t and \n are tab and
// line end), or "table {{.A}}\t{{.B}}". Throws UsageError for a field that is
// not there and for other constructs of Go's templates.
std::string format_rows(const std::string& format,
                        const std::vector<std::string>& fields,
                        const std::vector<std::string>& header,
                        const std::vector<Row>& rows);

// Puts fields into a template: every {{...}} is replaced by what `field` makes
// of its inside, trimmed.
template <typename Field>
std::string fill_template(const std::string& text, Field&& field) {
  std::string result;
  std::size_t at = 0;
  for (std::size_t open; (open = text.find("{{", at)) != text.npos;) {
    const std::size_t close = text.find("}}", open);
    if (close == text.npos) break;
    result += text.substr(at, open - at);
    result += field(text.substr(open + 2, close - open - 2));
    at = close + 2;
  }
  return result + text.substr(at);
}

// "\t" and "\n" as people write them in a shell's single quotes.
std::string unescape_template(const std::string& text);

}  // namespace cbuild::cli
