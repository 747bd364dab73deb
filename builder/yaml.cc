#include "builder/yaml.h"

#include <yaml.h>

#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/text.h"

namespace cbuild::builder {
namespace {

using Json = nlohmann::json;

constexpr int kDeepest = 64;
constexpr std::size_t kMostValues = 1'000'000;

const char* text_of(const yaml_char_t* text) {
  return text == nullptr ? "" : reinterpret_cast<const char*>(text);
}

std::optional<Json> integer(std::string word) {
  std::erase(word, '_');
  const bool negative = word.starts_with('-');
  std::size_t at = negative || word.starts_with('+') ? 1 : 0;
  int base = 10;
  if (word.size() > at + 1 && word[at] == '0') {
    const char kind = word[at + 1];
    base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
    at += base == 8 && kind != 'o' ? 1 : 2;
  }
  const std::string digits = word.substr(at);
  if (digits.empty() ||
      std::isxdigit(static_cast<unsigned char>(digits[0])) == 0)
    return std::nullopt;
  char* end = nullptr;
  errno = 0;
  const unsigned long long value = std::strtoull(digits.c_str(), &end, base);
  if (*end != '\0' || errno != 0) return std::nullopt;
  if (!negative) return Json(value);
  if (value > static_cast<unsigned long long>(INT64_MAX)) return std::nullopt;
  return Json(-static_cast<std::int64_t>(value));
}

std::optional<Json> real(const std::string& word) {
  if (word.find_first_not_of("+-.0123456789eE") != std::string::npos ||
      word.find_first_of("0123456789") == std::string::npos)
    return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(word.c_str(), &end);
  if (*end != '\0' || !std::isfinite(value)) return std::nullopt;
  return Json(value);
}

Json plain(const std::string& word) {
  if (word.empty() || word == "~" || word == "null" || word == "Null" ||
      word == "NULL")
    return nullptr;
  for (const char* yes : {"true", "yes", "on", "y"})
    if (equals_ignore_case(word, yes)) return true;
  for (const char* no : {"false", "no", "off", "n"})
    if (equals_ignore_case(word, no)) return false;
  if (auto number = integer(word)) return *number;
  if (auto number = real(word)) return *number;
  return word;
}

class Reader {
 public:
  explicit Reader(std::string_view yaml) {
    if (yaml_parser_initialize(&parser_) == 0) throw Error("out of memory");
    yaml_parser_set_input_string(
        &parser_, reinterpret_cast<const unsigned char*>(yaml.data()),
        yaml.size());
  }
  ~Reader() {
    yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  Json document() {
    next();  // of the stream
    next();
    if (event_.type == YAML_STREAM_END_EVENT) return nullptr;
    next();
    Json result = value(0);
    next();
    next();
    if (event_.type != YAML_STREAM_END_EVENT)
      fail("only one document is expected", event_.start_mark);
    return result;
  }

 private:
  [[noreturn]] static void fail(const std::string& what,
                                const yaml_mark_t& where) {
    throw Error("line " + std::to_string(where.line + 1) + ", column " +
                std::to_string(where.column + 1) + ": " + what);
  }

  void next() {
    yaml_event_delete(&event_);
    if (yaml_parser_parse(&parser_, &event_) == 0)
      fail(parser_.problem == nullptr ? "no YAML" : parser_.problem,
           parser_.problem_mark);
  }

  // The value that the event at hand begins.
  Json value(int depth) {
    if (depth > kDeepest) fail("nested too deeply", event_.start_mark);
    if (++values_ > kMostValues) fail("too much of it", event_.start_mark);
    switch (event_.type) {
      case YAML_ALIAS_EVENT:
        return alias();
      case YAML_SCALAR_EVENT:
        return named(text_of(event_.data.scalar.anchor), scalar());
      case YAML_SEQUENCE_START_EVENT:
        return sequence(depth);
      case YAML_MAPPING_START_EVENT:
        return mapping(depth);
      default:
        fail("a value is expected", event_.start_mark);
    }
  }

  static std::size_t count(const Json& json) {
    std::size_t values = 1;
    if (json.is_structured())
      for (const Json& inner : json) values += count(inner);
    return values;
  }

  Json alias() {
    const auto found = anchors_.find(text_of(event_.data.alias.anchor));
    if (found == anchors_.end()) fail("no such anchor", event_.start_mark);
    values_ += count(found->second);
    if (values_ > kMostValues) fail("too much of it", event_.start_mark);
    return found->second;
  }

  Json scalar() const {
    const auto& scalar = event_.data.scalar;
    std::string word(reinterpret_cast<const char*>(scalar.value),
                     scalar.length);
    const std::string tag = text_of(scalar.tag);
    if (scalar.style != YAML_PLAIN_SCALAR_STYLE || tag == YAML_STR_TAG ||
        tag == "tag:yaml.org,2002:binary")
      return word;
    return plain(word);
  }

  Json named(const std::string& anchor, Json json) {
    if (!anchor.empty()) anchors_[anchor] = json;
    return json;
  }

  Json sequence(int depth) {
    const std::string anchor = text_of(event_.data.sequence_start.anchor);
    Json list = Json::array();
    for (next(); event_.type != YAML_SEQUENCE_END_EVENT; next())
      list.push_back(value(depth + 1));
    return named(anchor, std::move(list));
  }

  Json mapping(int depth) {
    const std::string anchor = text_of(event_.data.mapping_start.anchor);
    Json object = Json::object();
    Json merged = Json::object();
    for (next(); event_.type != YAML_MAPPING_END_EVENT; next()) {
      const yaml_mark_t place = event_.start_mark;
      if (event_.type != YAML_SCALAR_EVENT)
        fail("a key must be a scalar", place);
      const std::string key = text_of(event_.data.scalar.value);
      const bool merge =
          key == "<<" && event_.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
      next();
      Json inner = value(depth + 1);
      if (merge)
        add_merged(inner, place, merged);
      else if (!object.emplace(key, std::move(inner)).second)
        fail("key " + go_quote(key) + " is there twice", place);
    }
    for (const auto& [key, inner] : merged.items()) object.emplace(key, inner);
    return named(anchor, std::move(object));
  }

  // "<<: *anchor", or a list of such; the first to have a key wins.
  static void add_merged(const Json& from, const yaml_mark_t& place,
                         Json& into) {
    if (!from.is_object() && !from.is_array())
      fail("<< wants a mapping", place);
    if (from.is_array()) {
      for (const Json& each : from) add_merged(each, place, into);
      return;
    }
    for (const auto& [key, inner] : from.items()) into.emplace(key, inner);
  }

  yaml_parser_t parser_ = {};
  yaml_event_t event_ = {};
  std::map<std::string, Json> anchors_;
  std::size_t values_ = 0;
};

}  // namespace

std::string yaml_to_json(std::string_view yaml) {
  return Reader(yaml).document().dump(-1, ' ', false,
                                      Json::error_handler_t::replace);
}

}  // namespace cbuild::builder
