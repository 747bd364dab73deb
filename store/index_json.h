// The file <root>/index.json. Private to store/.
//
// An entry is a descriptor with two annotations: kRefName, which other programs
// look up, and kFullName. Entries that other programs made have only the first.
//
// Names cannot be made again from anything, so what is written here is synced
// before the rename, and <root>/index.json.copy has the same bytes behind their
// SHA-256 ("<hex>\n"). A damaged index.json is put right from the copy.
#pragma once

#include <string>

#include "store/image.h"
#include "store/staging.h"

namespace cbuild::store {

inline constexpr const char* kRefName = "org.opencontainers.image.ref.name";
inline constexpr const char* kFullName = "io.cbuild.image.name";

// Absent: no images. A damaged file is said and mended, under the lock
// locks/index. Throws Error, naming the file, where the copy is damaged too.
Index read_index_json(const std::string& root);
// For who holds locks/index.
Index read_index_json_locked(const std::string& root);
void write_index_json(const std::string& root, const Index& index);

// Full name of an entry; empty for a dangling image.
std::string name_of(const Descriptor& entry);

}  // namespace cbuild::store
