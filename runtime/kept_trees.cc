#include "runtime/kept_trees.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstdio>

#include "base/error.h"

namespace cbuild::runtime {
namespace {

constexpr std::size_t kMost = 2;  // each is as large as an image

}  // namespace

KeptTrees::Identity KeptTrees::identity_of(const std::string& directory) {
  struct statx st;
  check(::statx(AT_FDCWD, directory.c_str(), 0, STATX_INO | STATX_BTIME, &st),
        "statx", directory);
  Identity identity{::makedev(st.stx_dev_major, st.stx_dev_minor), st.stx_ino,
                    0};
  if ((st.stx_mask & STATX_BTIME) != 0)
    identity.born = st.stx_btime.tv_sec * 1'000'000'000 + st.stx_btime.tv_nsec;
  return identity;
}

void KeptTrees::offer(const std::string& tree, std::vector<std::string> lowers,
                      const std::string& upper) {
  Kept kept{scratch_(), std::move(lowers), identity_of(upper)};
  check(::rename(tree.c_str(), (kept.directory.path() + "/tree").c_str()),
        "rename", tree);
  std::optional<Kept> oldest;  // removed without the lock
  const std::lock_guard lock(mutex_);
  kept_.push_back(std::move(kept));
  if (kept_.size() <= kMost) return;
  oldest = std::move(kept_.front());
  kept_.erase(kept_.begin());
}

std::optional<TempDir> KeptTrees::take(const std::vector<std::string>& lowers) {
  const Identity top = identity_of(lowers.front());
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) {
        return kept.upper == top &&
               std::equal(kept.lowers.begin(), kept.lowers.end(),
                          lowers.begin() + 1, lowers.end());
      });
  if (found == kept_.end()) return std::nullopt;
  TempDir directory = std::move(found->directory);
  kept_.erase(found);
  return directory;
}

}  // namespace cbuild::runtime
