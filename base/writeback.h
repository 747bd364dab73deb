// Getting large files to the disk early.
#pragma once

#include <cstdint>

namespace cbuild {

// Lets the disk begin with a large file while the rest of it is being made, so
// that the sync at the end has less to wait for. `end`: how many bytes at the
// start of the file are written. `from`: up to where earlier calls handed it
// over; returns up to where it is now, `from` again where too little has been
// added. A hint and no promise: what fails is found by the sync.
std::uint64_t start_writeback(int fd, std::uint64_t from, std::uint64_t end);

}  // namespace cbuild
