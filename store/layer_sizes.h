// How much disk each layer takes, and each folder of files, remembered. Private
// to store/.
//
//   <root>/sizes          "<id> <ctime of layers/<id>, ns> <bytes>\n", sorted
//   <root>/folder-sizes   "<folder> <its ctime, ns> <bytes>\n", sorted
//
// Looking at each file costs a system call. What is in layers/<id> changes only
// by renames into it, and in a folder only by files that come or go, which sets
// the directory's ctime; but a ctime may be as coarse as a tick of the kernel
// (4 ms), so what changed a moment ago may change again unseen, and is not
// remembered. A line that does not parse, or a file that is not there, only
// means counting again.
#pragma once

#include <cstdint>
#include <ctime>
#include <map>
#include <string>

#include "store/store.h"

namespace cbuild::store {

// Whether what changed at `changed` cannot change again with the same ctime,
// when it was looked at no sooner than `now`.
bool is_settled(const timespec& changed, const timespec& now);

// Bytes of allocated blocks, by name.
using Sizes = std::map<std::string, std::uint64_t>;

// Of every layer there is.
Sizes layer_sizes(const Store& store);
// Of "blobs/sha256", "diffs" and "steps", whose files never change in place.
Sizes folder_sizes(const Store& store);

}  // namespace cbuild::store
