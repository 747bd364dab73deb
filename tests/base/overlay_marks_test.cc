#include "base/overlay_marks.h"

#include <fcntl.h>
#include <sys/xattr.h>

#include <catch2/catch.hpp>

#include "base/dir.h"

namespace cbuild {
namespace {

std::string scratch() {
  const char* dir = std::getenv("TMPDIR");
  return dir != nullptr && *dir != '\0' ? dir : "/tmp";
}

TEST_CASE("a whiteout is a device 0/0, or an empty file with an attribute") {
  const TempDir temp(scratch(), "cbuild-marks-");
  const Fd dir = open_path(temp.path(), O_RDONLY | O_DIRECTORY);
  const auto is_one = [&](const std::string& name) {
    return is_whiteout_at(dir.get(), name, *lstat_at(dir.get(), name));
  };
  make_whiteout_at(dir.get(), "made");
  CHECK(is_one("made"));
  const Fd empty = openat_path(dir.get(), "empty", O_WRONLY | O_CREAT, 0600);
  CHECK_FALSE(is_one("empty"));
  if (::fsetxattr(empty.get(), "user.overlay.whiteout", "y", 1, 0) == -1) {
    WARN("SKIPPED: no user attributes in " << temp.path());
    return;
  }
  CHECK(is_one("empty"));
  CHECK(is_whiteout(temp.path() + "/empty", *lstat_at(dir.get(), "empty")));
  write_all(empty.get(), "x", "");
  CHECK_FALSE(is_one("empty"));
}

TEST_CASE("only y marks a directory opaque") {
  const TempDir temp(scratch(), "cbuild-marks-");
  const Fd dir = open_path(temp.path(), O_RDONLY | O_DIRECTORY);
  CHECK_FALSE(is_opaque(dir.get()));
  if (::fsetxattr(dir.get(), "user.overlay.opaque", "x", 1, 0) == -1) {
    WARN("SKIPPED: no user attributes in " << temp.path());
    return;
  }
  CHECK_FALSE(is_opaque(dir.get()));
  mark_opaque(dir.get());
  CHECK(is_opaque(dir.get()));
}

}  // namespace
}  // namespace cbuild
