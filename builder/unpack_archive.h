// ADD of a local archive: a tar, plain or compressed, becomes its files.
//
// Follows moby's go-archive as BuildKit uses it, with the destination as the
// root of every name, link and target in the archive: absolute names, ".." and
// links end inside it. Owners come from the archive unless --chown is given;
// modes and times always. Directories the archive does not list are 0755 root.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "builder/copy_target.h"
#include "store/stream.h"

namespace cbuild::builder {

// Whether an open regular file is an archive: its content alone decides, after
// decompression, by a first header that can be read. An archive without any
// entry is none.
bool is_archive(int file);

// Whether something that starts like this may be an archive, as a context may
// come in one: compressed, or a header that can be read (buildx isArchive).
bool starts_like_archive(std::string_view start);

// Unpacks it below the directory `destination`. `latest` as in CopyStyle.
// Throws Error with the member's name; what was unpacked by then stays. Damage
// behind the last member, as of a check sum, is warned of by `name`.
store::HeldBackPaths unpack_archive(int file, const std::string& name,
                                    int destination,
                                    const std::optional<FileOwner>& owner,
                                    const std::optional<std::int64_t>& latest);

// The same for an archive that can be read but once. Returns the time of its
// newest regular file, if it has any.
std::optional<std::int64_t> unpack_stream(
    store::ByteSource source, int destination,
    const std::optional<FileOwner>& owner,
    const std::optional<std::int64_t>& latest);

// That time, without unpacking; nullopt for what is no archive.
std::optional<std::int64_t> newest_time(store::ByteSource source);

}  // namespace cbuild::builder
