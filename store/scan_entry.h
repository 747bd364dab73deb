// One file on disk as an entry of an index. Private to store/.
#pragma once

#include <sys/stat.h>

#include <string>

#include "store/layer_index.h"
#include "store/xattrs.h"

namespace cbuild::store {

// A character device 0/0 is a whiteout.
EntryType type_of(const struct stat& st);

// What stat(2) tells: no target, content or attributes.
IndexEntry describe(const struct stat& st, std::string path);

// The attributes of a file, and what they hold back. What the command chowned
// since then has the owner that it gave.
void add_xattrs(IndexEntry& entry, const struct stat& st, XattrList&& xattrs);

}  // namespace cbuild::store
