#include <unistd.h>

#include <algorithm>

#include "store/layer_io.h"

namespace cbuild::store {
namespace {

// What differs, or nullptr. Without root a tree may be unable to hold the
// owners, modes and devices that the index tells of.
const char* difference(const IndexEntry& want, const IndexEntry& found,
                       bool attributes) {
  if (found.type != want.type) return "another type of ";
  if (found.size != want.size) return "another size of ";
  if (found.content != want.content) return "other content in ";
  if (found.target != want.target) return "another target of ";
  if (!attributes) return nullptr;
  if (found.mode != want.mode) return "another mode of ";
  if (found.uid != want.uid || found.gid != want.gid)
    return "another owner of ";
  return nullptr;
}

}  // namespace

std::vector<std::string> compare_tree(const LayerIndex& index, int tree,
                                      const std::vector<std::string>& implied,
                                      unsigned threads) {
  const LayerIndex found = scan_tree(tree, {}, threads);
  const bool root = ::geteuid() == 0;
  std::vector<std::string> problems;
  for (const IndexEntry& want : index.entries) {
    // Nothing is below to be hidden, so the scan left them out.
    if (want.type == EntryType::whiteout) continue;
    const IndexEntry* there = found.find(want.path);
    if (there == nullptr) {
      problems.push_back("has no " + want.path);
      continue;
    }
    const bool may_differ =
        !root || std::find(implied.begin(), implied.end(), want.path) !=
                     implied.end();
    if (const char* what = difference(want, *there, !may_differ))
      problems.push_back(std::string("has ") + what + want.path);
  }
  return problems;
}

}  // namespace cbuild::store
