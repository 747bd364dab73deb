// A recursive reader over one word, as BuildKit's: text, quotes and ${...} each
// have a function, and ${v:-w} reads w with the function that reads the word.
// Results are collected twice: as one text, and split into words where asked.
#include "parser/expand.h"

#include <utility>

#include "parser/pattern.h"
#include "parser/runes.h"

namespace cbuild::parser {
namespace {

// Deeper than any Dockerfile goes, and far from the end of the stack.
constexpr int kMaxDepth = 200;

// Splits at blanks that were not quoted.
class Words {
 public:
  void add_split(char32_t rune) {
    if (!is_space(rune)) return add_raw(rune);
    if (buffer_.empty()) return;
    words_.push_back(std::move(buffer_));
    buffer_.clear();
  }
  void add_split(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      const Rune rune = rune_at(text, at);
      add_split(rune.value);
      at += rune.size;
    }
  }
  void add_raw(char32_t rune) { append_rune(buffer_, rune); }
  void add_raw(std::string_view text) { buffer_ += text; }
  std::vector<std::string> take() {
    if (!buffer_.empty()) words_.push_back(std::move(buffer_));
    return std::move(words_);
  }

 private:
  std::string buffer_;
  std::vector<std::string> words_;
};

bool is_special_parameter(char32_t rune) {
  switch (rune) {
    case '@':
    case '*':
    case '#':
    case '?':
    case '-':
    case '$':
    case '!':
    case '0':
      return true;
    default:
      return false;
  }
}

class Expander {
 public:
  Expander(std::string_view source, const Lookup& lookup,
           const ExpandOptions& options)
      : source_(source),
        lookup_(lookup),
        options_(options),
        raw_escapes_(options.raw_escapes),
        left_(options.max_made) {}

  // The whole source; what is split goes to `words` if there is one.
  std::string run(Words* words) {
    return read_until(kEnd, raw_escapes_, words);
  }

  std::set<std::string> unset;
  std::set<std::string> used;

 private:
  static constexpr char32_t kEnd = 0xffffffff;

  char32_t peek() const {
    return at_ < source_.size() ? rune_at(source_, at_).value : kEnd;
  }
  char32_t next() {
    if (at_ >= source_.size()) return kEnd;
    const Rune rune = rune_at(source_, at_);
    at_ += rune.size;
    return rune.value;
  }

  char32_t escape() const {
    return static_cast<unsigned char>(options_.escape);
  }
  bool is_quote(char32_t rune) const {
    return !options_.skip_process_quotes && (rune == '\'' || rune == '"');
  }

  std::string read_until(char32_t stop, bool raw_escapes, Words* words);
  void read_plain(std::string& out, Words* words);
  std::string read_single_quoted();
  std::string read_double_quoted();
  std::string read_heredoc_mark();
  std::string read_dollar();
  std::string substitution();
  std::string read_braces();
  std::string read_name();
  std::string word_before_brace(bool raw_escapes);
  std::string with_word(const std::string& name, char32_t op, bool or_empty,
                        const std::string& shown_op);
  std::string trimmed(const std::string& value, std::string word,
                      char32_t op) const;
  std::string replaced(const std::string& name);

  std::optional<std::string> value_of(const std::string& name) {
    std::optional<std::string> value = lookup_(name);
    (value ? used : unset).insert(name);
    return value;
  }

  std::string_view source_;
  const Lookup& lookup_;
  const ExpandOptions& options_;
  bool raw_escapes_;
  std::size_t left_;  // of max_made
  std::size_t at_ = 0;
  int depth_ = 0;
};

std::string Expander::read_until(char32_t stop, bool raw_escapes,
                                 Words* words) {
  if (++depth_ > kMaxDepth) throw ExpandError("substitutions nest too deeply");
  const bool outer_raw_escapes = std::exchange(raw_escapes_, raw_escapes);
  std::string out;
  for (;;) {
    const char32_t rune = peek();
    if (rune == stop) break;
    if (rune == kEnd) {
      std::string shown;
      append_rune(shown, stop);
      throw ExpandError(
          "unexpected end of statement while looking for matching " + shown);
    }
    if (rune == '$') {
      const std::string value = read_dollar();
      out += value;
      if (words) words->add_split(value);
    } else if (rune == '<' || is_quote(rune)) {
      const std::string text = rune == '<'    ? read_heredoc_mark()
                               : rune == '\'' ? read_single_quoted()
                                              : read_double_quoted();
      out += text;
      if (words) words->add_raw(text);
    } else {
      read_plain(out, words);
    }
  }
  if (stop != kEnd) next();
  raw_escapes_ = outer_raw_escapes;
  --depth_;
  return out;
}

void Expander::read_plain(std::string& out, Words* words) {
  char32_t rune = next();
  if (rune != escape()) {
    append_rune(out, rune);
    if (words) words->add_split(rune);
    return;
  }
  if (raw_escapes_) {
    append_rune(out, rune);
    if (words) words->add_raw(rune);
  }
  rune = next();
  if (rune == kEnd) return;
  append_rune(out, rune);
  if (words) words->add_raw(rune);
}

std::string Expander::read_single_quoted() {
  const std::size_t begin = at_;
  const std::size_t end = source_.find('\'', begin + 1);
  if (end == std::string_view::npos) {
    at_ = source_.size();
    throw ExpandError(
        "unexpected end of statement while looking for matching single-quote");
  }
  at_ = end + 1;
  return std::string(options_.raw_quotes
                         ? source_.substr(begin, end + 1 - begin)
                         : source_.substr(begin + 1, end - begin - 1));
}

std::string Expander::read_double_quoted() {
  next();
  std::string out = options_.raw_quotes ? "\"" : "";
  for (;;) {
    if (peek() == kEnd)
      throw ExpandError(
          "unexpected end of statement while looking for matching "
          "double-quote");
    if (peek() == '$') {
      out += read_dollar();
      continue;
    }
    char32_t rune = next();
    if (rune == '"') return options_.raw_quotes ? out + '"' : out;
    if (rune == escape()) {
      if (raw_escapes_) append_rune(out, rune);
      if (peek() == kEnd) continue;
      if (peek() == '"' || peek() == '$' || peek() == escape()) rune = next();
    }
    append_rune(out, rune);
  }
}

// "<<" and the blanks after it, which do not end a word.
std::string Expander::read_heredoc_mark() {
  const std::size_t begin = at_;
  next();
  if (peek() == '<') {
    next();
    while (peek() == ' ' || peek() == '\t' || peek() == '\r') next();
  }
  return std::string(source_.substr(begin, at_ - begin));
}

std::string Expander::read_dollar() {
  std::string made = substitution();
  if (made.size() > left_)
    throw ExpandError("substitutions make more than " +
                      std::to_string(options_.max_made) + " bytes");
  left_ -= made.size();
  return made;
}

std::string Expander::substitution() {
  next();
  if (peek() == '{') return read_braces();
  const std::string name = read_name();
  if (name.empty()) return "$";
  const std::optional<std::string> value = value_of(name);
  if (!value && options_.skip_unset) return "$" + name;
  return value.value_or("");
}

std::string Expander::read_name() {
  const std::size_t begin = at_;
  if (is_digit(peek())) {
    while (is_digit(peek())) next();
  } else if (is_special_parameter(peek())) {
    next();
  } else {
    while (peek() != kEnd &&
           (is_letter(peek()) || is_digit(peek()) || peek() == '_'))
      next();
  }
  return std::string(source_.substr(begin, at_ - begin));
}

std::string Expander::read_braces() {
  next();
  if (peek() == kEnd) throw ExpandError("syntax error: missing '}'");
  if (peek() == '{' || peek() == '}' || peek() == ':')
    throw ExpandError("syntax error: bad substitution");
  const std::string name = read_name();
  const char32_t op = next();
  std::string shown;
  if (op != kEnd) append_rune(shown, op);
  switch (op) {
    case kEnd:
      throw ExpandError("syntax error: missing '}'");
    case '}': {
      const std::optional<std::string> value = value_of(name);
      if (!value && options_.skip_unset) return "${" + name + "}";
      return value.value_or("");
    }
    case ':': {
      const char32_t second = next();
      if (second == kEnd) throw ExpandError("syntax error: missing '}'");
      append_rune(shown, second);
      return with_word(name, second, true, shown);
    }
    case '+':
    case '-':
    case '?':
    case '#':
    case '%':
      return with_word(name, op, false, shown);
    case '/':
      return replaced(name);
    default:
      throw ExpandError("unsupported modifier (" + shown + ") in substitution");
  }
}

std::string Expander::word_before_brace(bool raw_escapes) {
  try {
    return read_until('}', raw_escapes, nullptr);
  } catch (const ExpandError&) {
    // Whatever was looked for, the end of the text came first.
    if (peek() == kEnd) throw ExpandError("syntax error: missing '}'");
    throw;
  }
}

std::string Expander::with_word(const std::string& name, char32_t op,
                                bool or_empty, const std::string& shown_op) {
  const bool trims = op == '#' || op == '%';
  const bool known = op == '-' || op == '+' || op == '?' || trims;
  const auto unsupported = [&] {
    return ExpandError("unsupported modifier (" + shown_op +
                       ") in substitution");
  };
  if (or_empty && trims) throw unsupported();
  const std::string word = word_before_brace(trims);
  const std::optional<std::string> value = value_of(name);
  if (options_.skip_unset && !value) return "${" + name + shown_op + word + "}";
  if (!known) throw unsupported();
  if (trims) return trimmed(value.value_or(""), word, op);
  const bool missing = !value || (or_empty && value->empty());
  if (op == '-') return missing ? word : *value;
  if (op == '+') return missing ? "" : word;
  if (!missing) return *value;
  const std::string why =
      !value ? "is not allowed to be unset" : "is not allowed to be empty";
  throw ExpandError(name + ": " + (word.empty() ? why : word));
}

std::string Expander::trimmed(const std::string& value, std::string word,
                              char32_t op) const {
  const bool greedy =
      !word.empty() && static_cast<unsigned char>(word[0]) == op;
  if (greedy) word.erase(0, 1);
  try {
    return op == '#' ? trim_prefix(value, word, greedy)
                     : trim_suffix(value, word, greedy);
  } catch (const Error& e) {
    throw ExpandError(e.what());
  }
}

std::string Expander::replaced(const std::string& name) {
  const bool all = peek() == '/';
  if (all) next();
  std::string pattern;
  try {
    pattern = read_until('/', true, nullptr);
  } catch (const ExpandError&) {
    if (peek() == kEnd) throw ExpandError("syntax error: missing '/' in ${}");
    throw;
  }
  const std::string replacement = word_before_brace(true);
  const std::optional<std::string> value = value_of(name);
  if (!value && options_.skip_unset)
    return "${" + name + "/" + pattern + "/" + replacement + "}";
  try {
    return replace_pattern(value.value_or(""), pattern, replacement, all,
                           left_);
  } catch (const Error& e) {
    throw ExpandError(e.what());
  }
}

}  // namespace

Expansion expand(std::string_view word, const Lookup& lookup,
                 const ExpandOptions& options) {
  Expander expander(word, lookup, options);
  try {
    std::string text = expander.run(nullptr);
    return {std::move(text), std::move(expander.unset),
            std::move(expander.used)};
  } catch (ExpandError& e) {
    e.unset = std::move(expander.unset);
    throw;
  }
}

std::vector<std::string> expand_words(std::string_view word,
                                      const Lookup& lookup,
                                      const ExpandOptions& options) {
  Words words;
  Expander(word, lookup, options).run(&words);
  return words.take();
}

}  // namespace cbuild::parser
