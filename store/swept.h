// Whether prune would find anything that nothing needs. Private to store/.
//
//   <root>/swept   the state of the store when prune last left nothing such
//
// What is needed by nothing is found by reading all records and documents,
// which takes a second for ten thousand. It can only come to be where a name, a
// record, a layer or a blob is added or goes, and each of that changes the
// ctime of a directory (or of index.json). A ctime may be as coarse as a tick
// of the kernel: a state whose last change was a moment ago is not written
// down. Nor is it trusted in another boot, which may have lost what was not
// synced.
#pragma once

#include "store/store.h"

namespace cbuild::store {

// Whether the store is in the state that write_swept() found it in.
bool is_swept(const Store& store);

// Under the sweep lock (store/lease.h), where everything is needed that is
// there. Does nothing where a later change could go unseen.
void write_swept(const Store& store);

}  // namespace cbuild::store
