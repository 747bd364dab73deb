#include "base/error.h"
#include "store/platform.h"
#include "tests/probe/family.h"

namespace cbuild::probe {
namespace {

using store::Platform;

std::string escaped(const std::string& option) {
  std::string out;
  for (const char c : option) {
    switch (c) {
      case '%':
        out += "%25";
        break;
      case '+':
        out += "%2B";
        break;
      case '(':
        out += "%28";
        break;
      case ')':
        out += "%29";
        break;
      case '/':
        out += "%2F";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// containerd's FormatAll.
std::string format_all(Platform platform) {
  std::string options = escaped(platform.os_version);
  for (const std::string& feature : platform.os_features)
    options += "+" + escaped(feature);
  if (!options.empty()) platform.os += "(" + options + ")";
  return platform.text();
}

Json parsed(const Json& question) {
  const Platform platform =
      store::parse_specifier(question.at("text").get<std::string>());
  Json fields = {{"os", platform.os}, {"architecture", platform.architecture}};
  if (!platform.variant.empty()) fields["variant"] = platform.variant;
  if (!platform.os_version.empty()) fields["os_version"] = platform.os_version;
  if (!platform.os_features.empty())
    fields["os_features"] = platform.os_features;
  Json answer = {{"platform", std::move(fields)},
                 {"format", platform.text()},
                 {"normalized", format_all(store::normalize(platform))}};
  if (format_all(platform) != platform.text())
    answer["format_all"] = format_all(platform);
  return answer;
}

Json matched(const Json& question) {
  const auto want =
      store::parse_platform(question.at("want").get<std::string>());
  const auto have =
      store::parse_platform(question.at("have").get<std::string>());
  const bool only = store::serves(have, want);
  const bool exact = only && have.architecture == want.architecture &&
                     have.variant == want.variant;
  return {{"exact", exact}, {"only", only}};
}

Json picked(const Json& question) {
  const auto want =
      store::parse_platform(question.at("want").get<std::string>());
  std::vector<std::string> texts = question.at("list");
  std::vector<Platform> list;
  for (const std::string& text : texts)
    list.push_back(store::parse_platform(text));
  Json matching = Json::array();
  for (int best; (best = store::best_match(list, want)) >= 0;) {
    matching.push_back(texts[static_cast<std::size_t>(best)]);
    list.erase(list.begin() + best);
    texts.erase(texts.begin() + best);
  }
  Json first = matching.empty() ? Json() : matching.front();
  return {{"matching", std::move(matching)}, {"picked", std::move(first)}};
}

Json answer(const Json& question) {
  const std::string kind = question.at("kind");
  if (kind == "parse") return parsed(question);
  return kind == "match" ? matched(question) : picked(question);
}

const Family family("platform", answer);

}  // namespace
}  // namespace cbuild::probe
