#include "registry/answer.h"

#include <time.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "registry/web.h"

namespace cbuild::registry {
namespace {

using std::chrono::seconds;

constexpr std::size_t kMaxQuoted = 300;

struct StatusName {
  int status;
  const char* name;
};
constexpr StatusName kStatusNames[] = {
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {416, "Range Not Satisfiable"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

std::string status_name(int status) {
  for (const StatusName& entry : kStatusNames)
    if (entry.status == status) return entry.name;
  return "no further word";
}

// Printable and short: the text comes from elsewhere and goes to a terminal.
std::string quotable(std::string_view text) {
  std::string result(trim(text).substr(0, kMaxQuoted));
  std::replace_if(
      result.begin(), result.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; },
      ' ');
  return result;
}

std::string text_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string()
             ? quotable(found->get<std::string>())
             : "";
}

}  // namespace

RegistryWords words_of(const HttpResponse& response) {
  const RegistryWords plain{status_name(response.status), ""};
  const nlohmann::json body =
      nlohmann::json::parse(response.body, nullptr, false);
  if (!body.is_object()) {
    // Some answer in plain text; a page of HTML helps nobody.
    const std::string text = quotable(response.body);
    return text.empty() || text.starts_with('<') || response.ok()
               ? plain
               : RegistryWords{text, ""};
  }
  const auto errors = body.find("errors");
  if (errors != body.end() && errors->is_array() && !errors->empty() &&
      errors->front().is_object()) {
    const nlohmann::json& first = errors->front();
    RegistryWords words{text_of(first, "message"), text_of(first, "code")};
    if (words.message.empty()) words.message = plain.message;
    return words;
  }
  // Token services: {"details": ...} or OAuth 2's {"error_description": ...}.
  for (const char* key : {"details", "error_description", "message", "error"})
    if (const std::string text = text_of(body, key); !text.empty())
      return {text, ""};
  return plain;
}

std::optional<seconds> retry_after(const HttpResponse& response) {
  const std::string value = response.header("retry-after");
  if (value.empty()) return std::nullopt;
  if (const auto number = parse_number(value))
    return seconds(std::min<std::uint64_t>(*number, 1u << 30));
  const auto date = parse_http_date(value);
  if (!date) return std::nullopt;
  return seconds(std::max<std::int64_t>(*date - ::time(nullptr), 0));
}

std::string describe(const HttpResponse& response) {
  const RegistryWords words = words_of(response);
  std::string text =
      response.url.authority() + " answered " + std::to_string(response.status);
  if (!words.code.empty()) text += " (" + words.code + ")";
  return text + ": " + words.message;
}

void throw_status(const HttpResponse& response) {
  throw HttpFailure(describe(response), response.status,
                    words_of(response).code, retry_after(response));
}

}  // namespace cbuild::registry
