// Deleting a store as a whole: what a user's store holds may belong to
// subordinate ids, so that rm(1) cannot.
#pragma once

#include "store/store.h"

namespace cbuild::store {

// Removes what a store consists of, and its directory where nothing else is in
// it. False where another process uses it: nothing is done then. The object is
// of no more use.
bool remove_store(Store& store);

}  // namespace cbuild::store
