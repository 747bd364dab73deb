// Files that a command writes for its user.
#pragma once

#include <functional>
#include <string>

namespace cbuild::cli {

// A file appears under its name when `write` has written all of it, so that a
// CI service never keeps half of one; what is no regular file (a pipe,
// /dev/stdout) is written in place. Throws SystemError and what `write` throws;
// the file is as it was then.
void write_result_file(const std::string& path,
                       const std::function<void(int fd)>& write);

}  // namespace cbuild::cli
