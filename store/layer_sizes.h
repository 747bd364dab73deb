// How much disk each layer takes, remembered. Private to store/.
//
//   <root>/sizes   "<id> <ctime of layers/<id>, ns> <bytes>\n", sorted by id
//
// Walking a tree costs a system call for each file. What is in layers/<id>
// changes only by renames into it, which set its ctime; but a ctime may be as
// coarse as a tick of the kernel (4 ms), so what changed a moment ago may change
// again unseen, and is not remembered. A line that does not parse, or a file that
// is not there, only means counting again.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "store/store.h"

namespace cbuild::store {

// Bytes of allocated blocks of every layer there is.
std::map<LayerId, std::uint64_t> layer_sizes(Store& store);

}  // namespace cbuild::store
