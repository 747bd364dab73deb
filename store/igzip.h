// ISA-L's igzip, loaded from libisal.so.2 where that is installed: the fastest
// gzip there is. Private to store/.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/stream.h"

namespace cbuild::store {

// One gzip member holding `data`, good until this thread's next call; nullopt
// without the library.
std::optional<std::string_view> igzip_chunk(std::string_view data);

// The plain bytes of a gzip stream of any number of members; an empty function
// without the library. `source` starts at the first header.
ByteSource igzip_source(ByteSource source);

}  // namespace cbuild::store
