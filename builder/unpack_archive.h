// ADD of a local archive: a tar, plain or compressed, becomes its files.
//
// Follows moby's go-archive as BuildKit uses it, with the destination as the
// root of every name, link and target in the archive: absolute names, ".." and
// links end inside it. Owners come from the archive unless --chown is given;
// modes and times always. Directories the archive does not list are 0755 root.
#pragma once

#include <cstdint>
#include <optional>

#include "builder/copy_target.h"

namespace cbuild::builder {

// Whether an open regular file is an archive: its content alone decides, after
// decompression, by a first header that can be read. An archive without any
// entry is none.
bool is_archive(int file);

// Unpacks it below the directory `destination`. `latest` as in CopyStyle.
// Throws Error with the member's name; what was unpacked by then stays.
void unpack_archive(int file, int destination,
                    const std::optional<FileOwner>& owner,
                    const std::optional<std::int64_t>& latest);

}  // namespace cbuild::builder
