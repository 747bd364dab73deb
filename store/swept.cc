#include "store/swept.h"

#include <fcntl.h>

#include <ctime>
#include <string>

#include "base/dir.h"
#include "store/layer_sizes.h"
#include "store/remember.h"

namespace cbuild::store {
namespace {

// All that a thing can be reached from, and all that can be unreached.
constexpr const char* kWatched[] = {"index.json",   "refs",   "steps", "layers",
                                    "blobs/sha256", "failed", "diffs"};

// Empty where it could change without being seen.
std::string state_of(const Store& store) {
  timespec now = {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  std::string state = Birth::now().boot + "\n";
  for (const char* name : kWatched) {
    const auto st = lstat_at(AT_FDCWD, store.root() + "/" + name);
    if (!st) {
      state += "-\n";
      continue;
    }
    if (!is_settled(st->st_ctim, now)) return {};
    state += std::to_string(st->st_ino) + " " +
             std::to_string(st->st_ctim.tv_sec) + " " +
             std::to_string(st->st_ctim.tv_nsec) + "\n";
  }
  return state;
}

}  // namespace

bool is_swept(const Store& store) {
  const std::string state = state_of(store);
  return !state.empty() && read_file(store.root() + "/swept") == state;
}

void write_swept(const Store& store) {
  const std::string state = state_of(store);
  if (!state.empty()) remember(store.root(), "swept", state);
}

}  // namespace cbuild::store
