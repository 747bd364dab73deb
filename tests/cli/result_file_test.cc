#include "cli/result_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <stdexcept>

#include "base/dir.h"

namespace cbuild::cli {
namespace {

void write(const std::string& path, const std::string& text) {
  write_result_file(path, [&](int fd) { write_all(fd, text, path); });
}

std::size_t files_in(const std::string& directory) {
  return list_dir(open_path(directory, O_RDONLY | O_DIRECTORY).get()).size();
}

TEST_CASE("a result file is there whole or as it was") {
  const TempDir directory("/tmp", "result-");
  const std::string path = directory.path() + "/id";
  write(path, "first");
  CHECK(read_file(path) == "first");
  CHECK_THROWS(write_result_file(path, [&](int fd) {
    write_all(fd, "half", path);
    throw std::runtime_error("disk full");
  }));
  CHECK(read_file(path) == "first");
  CHECK(files_in(directory.path()) == 1);
}

TEST_CASE("a result file behind a link is written there") {
  const TempDir directory("/tmp", "result-");
  const std::string link = directory.path() + "/link";
  REQUIRE(::symlink("real", link.c_str()) == 0);
  write(link, "first, longer");
  write(link, "second");
  CHECK(read_file(directory.path() + "/real") == "second");
  struct stat status;
  REQUIRE(::lstat(link.c_str(), &status) == 0);
  CHECK(S_ISLNK(status.st_mode));
}

TEST_CASE("a result file that cannot be names its path") {
  const TempDir directory("/tmp", "result-");
  CHECK_THROWS_WITH(write(directory.path() + "/no/file", "x"),
                    Catch::Contains("/no/file"));
}

}  // namespace
}  // namespace cbuild::cli
