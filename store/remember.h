// Files that only save work. Private to store/.
#pragma once

#include <string>
#include <string_view>

namespace cbuild::store {

// Writes <root>/<name>, whole or not at all. Where that cannot be done nothing
// is remembered: on a full disk, prune must not fail because of it.
void remember(const std::string& root, const char* name, std::string_view text);

}  // namespace cbuild::store
