#include "cli/result_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "base/dir.h"
#include "base/error.h"

namespace cbuild::cli {
namespace {

// A link is followed, as /dev/stdout is one.
bool is_regular_or_absent(const std::string& path) {
  struct stat status;
  return ::lstat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode);
}

}  // namespace

void write_result_file(const std::string& path,
                       const std::function<void(int fd)>& write) {
  if (!is_regular_or_absent(path)) {
    Fd file = open_path(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    write(file.get());
    file.close();
    return;
  }
  const std::string staged = path + ".part-" + random_hex(4);
  Fd file = open_path(staged, O_WRONLY | O_CREAT | O_EXCL, 0644);
  try {
    write(file.get());
    file.close();
    check(::rename(staged.c_str(), path.c_str()), "rename", path);
  } catch (...) {
    ::unlink(staged.c_str());
    throw;
  }
}

}  // namespace cbuild::cli
