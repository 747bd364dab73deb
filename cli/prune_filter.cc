#include "cli/prune_filter.h"

#include <regex.h>

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/values.h"

namespace cbuild::cli {
namespace {

using store::CacheItem;
using Condition = std::function<bool(const CacheItem&)>;

struct TextField {
  const char* name;
  std::string CacheItem::*text;
};
constexpr TextField kTexts[] = {{"id", &CacheItem::id},
                                {"type", &CacheItem::type},
                                {"description", &CacheItem::description},
                                {"parents", &CacheItem::parent},
                                {"parent", &CacheItem::parent}};

struct FlagField {
  const char* name;
  bool CacheItem::*flag;
  bool value;
};
constexpr FlagField kFlags[] = {{"inuse", &CacheItem::in_use, true},
                                {"mutable", &CacheItem::changes, true},
                                {"immutable", &CacheItem::changes, false},
                                {"shared", &CacheItem::shared, true},
                                {"private", &CacheItem::shared, false}};

const std::vector<std::string> kTypes = {"regular", "exec.cachemount",
                                         "source.local", "source.http",
                                         "source.git.checkout"};

struct RegexDeleter {
  void operator()(regex_t* regex) const {
    ::regfree(regex);
    std::default_delete<regex_t>()(regex);
  }
};

Condition matches(std::string CacheItem::*text, const std::string& filter,
                  const std::string& pattern) {
  auto made = std::make_unique<regex_t>();
  if (::regcomp(made.get(), pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0)
    refuse_value("filter", filter, "not a regular expression");
  const std::shared_ptr<regex_t> regex(made.release(), RegexDeleter());
  return [text, regex](const CacheItem& item) {
    return ::regexec(regex.get(), (item.*text).c_str(), 0, nullptr, 0) == 0;
  };
}

// What stands between name and value: "=", "!=" or "~="; empty without value.
struct Parts {
  std::string name;
  std::string sign;
  std::string value;
};

Parts parts_of(const std::string& filter) {
  const std::size_t equals = filter.find('=');
  if (equals == std::string::npos) return {filter, "", ""};
  const bool two =
      equals > 0 && (filter[equals - 1] == '!' || filter[equals - 1] == '~');
  const std::size_t end = two ? equals - 1 : equals;
  return {filter.substr(0, end), filter.substr(end, equals - end + 1),
          filter.substr(equals + 1)};
}

Condition text_condition(const TextField& field, const std::string& filter,
                         const Parts& parts) {
  if (parts.sign.empty())
    refuse_value("filter", filter,
                 "want " + parts.name + "=VALUE, !=VALUE or ~=REGEX");
  const std::string name = field.name;
  if (name == "type" && parts.sign != "~=" &&
      std::find(kTypes.begin(), kTypes.end(), parts.value) == kTypes.end())
    refuse_value("filter", filter,
                 "no such type" + did_you_mean(parts.value, kTypes) +
                     "; there are " + join(kTypes, ", "));
  if (parts.sign == "~=" || (name == "id" && parts.sign == "="))
    return matches(field.text, filter, parts.value);
  const bool same = parts.sign == "=";
  return [text = field.text, value = parts.value, same](const CacheItem& item) {
    return (item.*text == value) == same;
  };
}

Condition condition_of(const std::string& filter) {
  const Parts parts = parts_of(filter);
  for (const TextField& field : kTexts)
    if (parts.name == field.name) return text_condition(field, filter, parts);
  for (const FlagField& field : kFlags) {
    if (parts.name != field.name) continue;
    if (!parts.sign.empty())
      refuse_value("filter", filter, parts.name + " takes no value");
    return [field](const CacheItem& item) {
      return item.*field.flag == field.value;
    };
  }
  std::vector<std::string> names = {"until", "unused-for"};
  for (const TextField& field : kTexts) names.emplace_back(field.name);
  for (const FlagField& field : kFlags) names.emplace_back(field.name);
  refuse_value("filter", filter,
               "unknown filter" + did_you_mean(parts.name, names) +
                   "; there are " + join(names, ", "));
}

}  // namespace

PruneFilter read_prune_filters(const std::vector<std::string>& filters) {
  PruneFilter result;
  std::vector<Condition> conditions;
  for (const std::string& filter : filters) {
    const Parts parts = parts_of(filter);
    if (parts.name != "until" && parts.name != "unused-for") {
      conditions.push_back(condition_of(filter));
      continue;
    }
    result.unused_for = parse_age(parts.value);
    if (parts.sign != "=" || !result.unused_for)
      refuse_value("filter", filter,
                   "want " + parts.name + "= and a time such as 24h or 10d");
  }
  if (!conditions.empty())
    result.only = [conditions = std::move(conditions)](const CacheItem& item) {
      return std::all_of(conditions.begin(), conditions.end(),
                         [&](const Condition& holds) { return holds(item); });
    };
  return result;
}

}  // namespace cbuild::cli
