#include "store/lower_owners.h"

#include <fcntl.h>

#include "base/dir.h"
#include "store/held_back.h"

namespace cbuild::store {

const LayerIndex& LowerOwners::index_of(const std::string& tree) {
  const auto [found, absent] = indexes_.try_emplace(tree);
  if (absent) {
    const auto text = read_file(tree.substr(0, tree.rfind('/')) + "/index");
    if (text) found->second = deserialize(*text).value_or(LayerIndex{});
  }
  return found->second;
}

void LowerOwners::apply(IndexEntry& entry, const struct stat& st,
                        const LowerTrees& lowers) {
  if (!may_hold_back()) return;
  for (const std::string* lower : lowers) {
    const auto below = lstat_at(AT_FDCWD, *lower + "/" + entry.path);
    if (!below) continue;
    if ((below->st_mode & S_IFMT) != (st.st_mode & S_IFMT) ||
        below->st_uid != st.st_uid || below->st_gid != st.st_gid)
      return;
    if (const IndexEntry* known = index_of(*lower).find(entry.path)) {
      entry.uid = known->uid;
      entry.gid = known->gid;
    }
    return;
  }
}

}  // namespace cbuild::store
