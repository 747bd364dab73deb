// The file <root>/index.json. Private to store/.
//
// An entry is a descriptor with two annotations: kRefName, which other programs
// look up, and kFullName. Entries that other programs made have only the first.
#pragma once

#include <string>

#include "store/image.h"

namespace cbuild::store {

inline constexpr const char* kRefName = "org.opencontainers.image.ref.name";
inline constexpr const char* kFullName = "io.cbuild.image.name";

// Absent or empty: no images. Throws Error, naming the file, where it is
// damaged.
Index read_index_json(const std::string& root);

// Full name of an entry; empty for a dangling image.
std::string name_of(const Descriptor& entry);

}  // namespace cbuild::store
