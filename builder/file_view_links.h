// Following symbolic links inside a root that is not the process's own.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace cbuild::builder {

// What stands at a path that has no links in it.
struct LinkStep {
  bool directory = false;
  std::optional<std::string> target;  // of a symbolic link
};

// The path without links that `path` (relative to the root, any form) leads to.
// ".." stops at the root. nullopt where something on the way is missing or no
// directory; throws Error "too many links" after 255.
std::optional<std::string> follow_links(
    const std::string& path,
    const std::function<std::optional<LinkStep>(const std::string&)>& look);

// As follow_links, but what is missing counts as a directory to come.
std::string follow_existing_links(
    const std::string& path,
    const std::function<std::optional<LinkStep>(const std::string&)>& look);

}  // namespace cbuild::builder
