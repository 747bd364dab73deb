// Files that a layer holds under several names, as files of their own.
//
// fuse-overlayfs takes hard links of a lower layer for one file: a change
// through one name ends up in the upper directory under any of them, and the
// layer that comes of it is wrong. overlayfs (index=off) makes each name a file
// of its own once it is changed. A layer on top that has them separate already
// makes both the same, and costs a copy of those few files.
#pragma once

#include <string>
#include <vector>

namespace cbuild::runtime {

// Fills the empty `directory` so that it can go on top of `lowers` (top first).
// Returns false where no layer has such files. What a layer has is looked for
// once in a process. Any thread. Throws SystemError.
bool separate_links(const std::vector<std::string>& lowers,
                    const std::string& directory);

}  // namespace cbuild::runtime
