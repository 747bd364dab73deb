#include "builder/input_changes.h"

#include <algorithm>
#include <map>

#include "base/text.h"

namespace cbuild::builder {
namespace {

constexpr std::size_t kShown = 60;   // characters of a value
constexpr std::size_t kBefore = 15;  // of them, before the difference

using Values = std::map<std::string, std::vector<std::string>>;

Values grouped(const store::KeyInputs& inputs) {
  Values values;
  for (const auto& [name, value] : inputs) values[name].push_back(value);
  return values;
}

std::string window(const std::string& text, std::size_t differs) {
  const std::size_t from =
      text.size() <= kShown || differs <= kBefore ? 0 : differs - kBefore;
  std::string shown = text.substr(from, kShown);
  if (from > 0) shown = "..." + shown;
  if (from + kShown < text.size()) shown += "...";
  return go_quote(shown);
}

}  // namespace

std::vector<InputChange> input_changes(const store::KeyInputs& before,
                                       const store::KeyInputs& now) {
  Values old = grouped(before);
  Values current = grouped(now);
  std::vector<InputChange> changes;
  const auto compare = [&](const std::string& name) {
    const auto is_it = [&](const InputChange& c) { return c.name == name; };
    if (std::any_of(changes.begin(), changes.end(), is_it)) return;
    if (old[name] != current[name])
      changes.push_back({name, old[name], current[name]});
  };
  for (const auto& [name, value] : now)
    if (name != "below") compare(name);
  for (const auto& [name, value] : before)
    if (name != "below") compare(name);
  compare("below");
  return changes;
}

std::string change_text(const std::string& what,
                        const std::vector<std::string>& before,
                        const std::vector<std::string>& now) {
  const std::string old = join(before, " ");
  const std::string current = join(now, " ");
  if (before.empty()) return what + " is new: " + window(current, 0);
  if (now.empty()) return what + " is gone";
  const auto [a, b] =
      std::mismatch(old.begin(), old.end(), current.begin(), current.end());
  const auto differs = static_cast<std::size_t>(a - old.begin());
  return what + " " + window(old, differs) + " -> " + window(current, differs);
}

}  // namespace cbuild::builder
