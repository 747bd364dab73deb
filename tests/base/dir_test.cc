#include "base/dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/workers.h"

namespace cbuild {
namespace {

void write_file(const std::string& path, std::string_view text) {
  Fd fd = open_path(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  write_all(fd.get(), text, path);
}

TEST_CASE("no link and no .. leads out of a root", "[base]") {
  TempDir outside("/tmp", "cbuild-test-");
  write_file(outside.path() + "/secret", "secret");
  const std::string root = outside.path() + "/root";
  make_dirs(root + "/etc");
  write_file(root + "/etc/inside", "inside");
  REQUIRE(::symlink("/etc", (root + "/absolute").c_str()) == 0);
  REQUIRE(::symlink("../../..", (root + "/up").c_str()) == 0);
  const Fd dir = open_path(root, O_RDONLY | O_DIRECTORY);
  CHECK(!try_open_in_root(dir.get(), "../secret", O_RDONLY));
  CHECK(!try_open_in_root(dir.get(), "up/secret", O_RDONLY));
  const Fd file = open_in_root(dir.get(), "absolute/inside", O_RDONLY);
  CHECK(read_all(file.get(), "inside") == "inside");
}

TEST_CASE("a replaced file is the old one or the new one, never a part",
          "[base]") {
  TempDir temp("/tmp", "cbuild-test-");
  const Fd dir = open_path(temp.path(), O_RDONLY | O_DIRECTORY);
  replace_file_at(dir.get(), "f", "one", true);
  replace_file_at(dir.get(), "f", "two", false);
  CHECK(read_file_at(dir.get(), "f") == std::string("two"));
  CHECK(list_dir(dir.get()) == std::vector<std::string>{"f"});
}

TEST_CASE("removing a tree does not follow links", "[base]") {
  TempDir temp("/tmp", "cbuild-test-");
  make_dirs(temp.path() + "/keep");
  write_file(temp.path() + "/keep/f", "x");
  make_dirs(temp.path() + "/gone/deep");
  REQUIRE(::symlink("../../keep", (temp.path() + "/gone/deep/l").c_str()) == 0);
  remove_tree(temp.path() + "/gone");
  CHECK(read_file(temp.path() + "/keep/f") == std::string("x"));
  CHECK(!read_file(temp.path() + "/gone/deep/l"));
}

TEST_CASE("a temporary directory goes with its owner", "[base]") {
  std::string path;
  {
    TempDir temp("/tmp", "cbuild-test-");
    path = temp.path();
    write_file(path + "/f", "x");
  }
  struct stat st;
  CHECK(::stat(path.c_str(), &st) == -1);
}

TEST_CASE("a user's directories that are closed to the user go too", "[base]") {
  TempDir temp("/tmp", "cbuild-test-");
  make_dirs(temp.path() + "/a/b/c");
  const pid_t pid = ::fork();
  if (pid == 0) {
    try {
      if (::geteuid() == 0) {  // root may pass any
        for (const char* path : {"", "/a", "/a/b", "/a/b/c"})
          check(::chown((temp.path() + path).c_str(), 65534, 65534), "chown",
                path);
        check(::setresuid(65534, 65534, 65534), "setresuid", "");
      }
      for (const char* path : {"/a/b", "/a"})
        check(::chmod((temp.path() + path).c_str(), 0), "chmod", path);
      remove_tree(temp.path() + "/a");
      ::_exit(0);
    } catch (const Error&) {
      ::_exit(1);
    }
  }
  int status = 1;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
}

TEST_CASE("workers hand on the first failure and drop what had not started",
          "[base]") {
  Workers workers(1);
  std::atomic<int> ran = 0;
  workers.submit([] { throw Error("first"); });
  CHECK_THROWS_WITH(workers.wait(), "first");
  workers.submit([&] { ++ran; });
  workers.wait();
  CHECK(ran == 1);
}

}  // namespace
}  // namespace cbuild
