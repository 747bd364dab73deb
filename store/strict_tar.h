// What is a tar to BuildKit: the rules of Go's archive/tar for headers, which
// are stricter than libarchive's. ADD unpacks a file only if it begins with a
// header that this takes, and fails at a later one that it does not take.
//
// Checked: sums, numbers, PAX records (also overriding sizes), types (POSIX.1's
// of files, links, devices, directories and fifos; GNU's long names and sparse
// files), one block of zeros in the middle. A stream may end in the padding of
// a member or without the two blocks of zeros; nothing behind those is read.
#pragma once

#include "store/stream.h"

namespace cbuild::store {

// The same bytes, checked as they pass; the end is made complete. Throws Error
// "invalid tar header", "unhandled tar header type 55", "unexpected EOF".
ByteSource checked_tar(ByteSource source);

// Whether a first member, or a global PAX header, can be read. Reads no more
// than that. Throws what `source` throws.
bool begins_tar(ByteSource source);

}  // namespace cbuild::store
