#include "parser/directives.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "parser/runes.h"

namespace cbuild::parser {
namespace {

constexpr std::array<std::string_view, 3> kNames = {"syntax", "escape",
                                                    "check"};
// Go's \s, which is less than unicode.IsSpace.
constexpr std::string_view kBlanks = "\t\n\f\r ";

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9');
}

}  // namespace

std::optional<Directive> DirectiveReader::read(std::string_view line) {
  ++line_;
  if (done_) return std::nullopt;
  // Whatever is no directive ends them; set back below if it is one.
  done_ = true;
  if (!line.starts_with('#')) return std::nullopt;
  line = trim_space_left(line.substr(1));

  const auto name_end =
      std::find_if_not(line.begin(), line.end(), is_alphanumeric);
  const std::string name(line.begin(), name_end);
  line = trim(line.substr(name.size()), kBlanks);
  if (!line.starts_with('=')) return std::nullopt;
  const std::string_view value = trim(line.substr(1), kBlanks);
  const std::string key = to_lower(name);
  if (value.empty() ||
      std::find(kNames.begin(), kNames.end(), key) == kNames.end())
    return std::nullopt;

  done_ = false;
  if (!seen_.insert(key).second)
    throw Error("only one " + key + " parser directive can be used");
  return Directive{key, std::string(value), line_};
}

std::vector<Directive> read_directives(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  std::size_t skipped = 0;
  if (text.starts_with("#!")) {
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    skipped = 1;
  }
  std::vector<Directive> directives;
  DirectiveReader reader;
  while (!text.empty() && !reader.done()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    text.remove_prefix(std::min(end + 1, text.size()));
    try {
      if (auto directive = reader.read(line)) {
        directive->line += skipped;
        directives.push_back(std::move(*directive));
      }
    } catch (const Error&) {
      break;  // parse() reports it
    }
  }
  return directives;
}

}  // namespace cbuild::parser
