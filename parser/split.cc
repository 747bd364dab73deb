// A logical line to keyword, flags and arguments.
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "parser/grammar.h"
#include "parser/lines.h"
#include "parser/runes.h"

namespace cbuild::parser {
namespace {

// Go's regular expression for blanks between plain words, and the bytes that
// Go takes for blanks before and between flags. There BuildKit looks at single
// bytes, so that some letters beyond ASCII split a flag; that is not copied.
constexpr std::string_view kWordBlanks = "\t\v\f\r ";
constexpr std::string_view kBlanks = "\t\n\v\f\r ";

bool is_blank(char c) { return kBlanks.find(c) != std::string_view::npos; }

// Reads the `--flag` words in front of the arguments.
class FlagReader {
 public:
  FlagReader(std::string_view text, std::size_t at, char escape)
      : text_(text), at_(at), escape_(escape) {}

  // Where the arguments start.
  std::size_t read(std::vector<Flag>& flags) {
    for (;;) {
      while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
      if (!text_.substr(at_).starts_with("--")) return at_;
      Flag flag = read_flag();
      if (flag.text == "--") return at_;
      flags.push_back(std::move(flag));
    }
  }

 private:
  Flag read_flag() {
    Flag flag{{}, at_, at_};
    char quote = '\0';
    for (; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (quote == '\0' && is_blank(c)) break;
      if (c == quote) {
        quote = '\0';
        continue;
      }
      if (quote == '\0' && (c == '\'' || c == '"')) {
        quote = c;
        continue;
      }
      if (c == escape_) {
        if (++at_ == text_.size()) break;
        c = text_[at_];
      }
      flag.text += c;
    }
    flag.end = at_;
    return flag;
  }

  std::string_view text_;
  std::size_t at_;
  char escape_;
};

// Puts the pieces of one line's arguments into a Split.
class Splitter {
 public:
  Splitter(const LineText& line, Split& split, char escape)
      : line_(line), split_(split), escape_(escape) {
    const std::string_view rest =
        std::string_view(line.text).substr(split.arguments_begin);
    const std::string_view left = trim_space_left(rest);
    split.arguments_begin += rest.size() - left.size();
    args_ = trim_space(left);
  }

  void ignore() { add({0, 0}); }
  void whole(std::size_t from = 0) {
    if (from < args_.size()) add({from, args_.size()});
  }
  void words() {
    for (const Range& range : blank_words(args_)) add(range);
  }
  void quoted() {
    for (const Range& range : quoted_words(args_, escape_)) add(range);
  }
  void pairs() {
    const std::string keyword = to_upper(split_.keyword);
    for (const Pair& pair : name_value_pairs(args_, escape_, keyword)) {
      add(pair.name);
      add(pair.value);
      add({pair.value.end, pair.value.end});
      if (pair.equals) split_.arguments.back().text = "=";
    }
  }
  bool json(std::size_t from = 0) {
    const auto array = json_array(args_.substr(from));
    if (!array) return false;
    if (!array->words)
      throw Error(
          "when using JSON array syntax, arrays must be comprised of strings "
          "only");
    for (const JsonArray::Element& element : *array->words) {
      add({element.range.begin + from, element.range.end + from});
      split_.arguments.back().text = element.text;
    }
    split_.json = true;
    return true;
  }
  void json_or_whole() {
    if (!json()) whole();
  }
  void json_or_words() {
    if (!json()) words();
  }
  void typed() {
    const std::size_t end =
        std::min(args_.find_first_of(kBlanks), args_.size());
    if (end == 0) return;
    add({0, end});
    const std::size_t next =
        std::min(args_.find_first_not_of(kBlanks, end), args_.size());
    if (!json(next)) whole(next);
  }
  void trigger() {
    if (args_.empty()) return;
    split_.trigger.push_back(
        split_line(line_, split_.arguments_begin, escape_));
  }

 private:
  void add(const Range& range) {
    split_.arguments.push_back(
        {std::string(args_.substr(range.begin, range.end - range.begin)),
         split_.arguments_begin + range.begin,
         split_.arguments_begin + range.end});
  }

  const LineText& line_;
  Split& split_;
  char escape_;
  std::string_view args_;
};

using Rule = void (*)(Splitter&);

Rule rule_of(std::string_view keyword) {
  static constexpr Rule json_or_whole = [](Splitter& s) { s.json_or_whole(); };
  static constexpr Rule json_or_words = [](Splitter& s) { s.json_or_words(); };
  static constexpr Rule words = [](Splitter& s) { s.words(); };
  static constexpr Rule whole = [](Splitter& s) { s.whole(); };
  static constexpr Rule pairs = [](Splitter& s) { s.pairs(); };
  static constexpr std::pair<std::string_view, Rule> rules[] = {
      {"add", json_or_words},
      {"arg", [](Splitter& s) { s.quoted(); }},
      {"cmd", json_or_whole},
      {"copy", json_or_words},
      {"entrypoint", json_or_whole},
      {"env", pairs},
      {"expose", words},
      {"from", words},
      {"healthcheck", [](Splitter& s) { s.typed(); }},
      {"label", pairs},
      {"maintainer", whole},
      {"onbuild", [](Splitter& s) { s.trigger(); }},
      {"run", json_or_whole},
      {"shell", json_or_whole},
      {"stopsignal", whole},
      {"user", whole},
      {"volume", json_or_words},
      {"workdir", whole},
  };
  const auto found =
      std::find_if(std::begin(rules), std::end(rules), [&](const auto& rule) {
        return equals_ignore_case(rule.first, keyword);
      });
  if (found == std::end(rules)) return [](Splitter& s) { s.ignore(); };
  return found->second;
}

}  // namespace

Split split_line(const LineText& line, std::size_t begin, char escape) {
  const std::string_view text = line.text;
  Split split;
  begin = text.size() - trim_space_left(text.substr(begin)).size();
  const std::size_t end = begin + trim_space(text.substr(begin)).size();
  const std::size_t keyword_end =
      std::min(text.find_first_of(kWordBlanks, begin), end);
  split.keyword = text.substr(begin, keyword_end - begin);
  split.keyword_begin = begin;
  const std::size_t rest =
      std::min(text.find_first_not_of(kWordBlanks, keyword_end), end);
  split.arguments_begin =
      FlagReader(text.substr(0, end), rest, escape).read(split.flags);
  try {
    Splitter splitter(line, split, escape);
    rule_of(split.keyword)(splitter);
  } catch (const SyntaxError&) {
    throw;
  } catch (const PlacedError& e) {
    const std::size_t at = split.arguments_begin;
    throw SyntaxError({{e.what(),
                        line.span_of(at + e.range().begin, at + e.range().end),
                        {}}});
  } catch (const Error& e) {
    const Span span = line.span_of(split.arguments_begin, end);
    throw SyntaxError({{e.what(), span, line.span_of(0, text.size())}});
  }
  return split;
}

}  // namespace cbuild::parser
