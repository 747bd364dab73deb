#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <catch2/catch.hpp>

#include "scratch.h"
#include "store/hash_entries.h"
#include "store/layer_index.h"

using namespace cbuild;
using namespace cbuild::store;

namespace {

struct Trees : Scratch {
  std::string upper = dir.path() + "/upper";
  std::string top = dir.path() + "/top";
  std::string base = dir.path() + "/base";
  Trees() {
    for (const std::string& tree : {upper, top, base}) make_dirs(tree);
  }
  LayerIndex scan(unsigned threads = 1) const {
    const Fd tree = open_path(upper, O_RDONLY | O_DIRECTORY);
    return scan_tree(tree.get(), {top, base}, threads);
  }
};

std::vector<std::string> paths(const LayerIndex& index) {
  std::vector<std::string> out;
  for (const IndexEntry& entry : index.entries) out.push_back(entry.path);
  return out;
}

void whiteout(const std::string& path) {
  REQUIRE(::mknod(path.c_str(), S_IFCHR, 0) == 0);
}

bool opaque(const std::string& path, const char* value = "y") {
  return ::setxattr(path.c_str(), "trusted.overlay.opaque", value, 1, 0) == 0 ||
         ::setxattr(path.c_str(), "user.overlay.opaque", value, 1, 0) == 0;
}

void set_time(const std::string& path, std::int64_t seconds) {
  const timespec times[2] = {{seconds, 7}, {seconds, 7}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
}

std::int64_t time_of(const std::string& path) {
  struct stat st;
  REQUIRE(::lstat(path.c_str(), &st) == 0);
  return st.st_mtim.tv_sec;
}

using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("what was written since the step began is not looked for below",
          "[scan]") {
  Trees t;
  for (const char* name : {"/old", "/new", "/later"}) {
    write_file(t.upper + name, "x");
    write_file(t.base + name, "x");
  }
  timespec now = {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  // Seen to be the same below, where the times are.
  for (const std::string& tree : {t.upper, t.base}) {
    set_time(tree + "/old", now.tv_sec - 100);
    set_time(tree + "/new", now.tv_sec - 10);
    set_time(tree + "/later", now.tv_sec + 100);
  }
  const Fd tree = open_path(t.upper, O_RDONLY | O_DIRECTORY);
  const std::vector<std::string> lowers = {t.top, t.base};
  CHECK(scan_tree(tree.get(), lowers, 1).entries.empty());
  const timespec begun = {now.tv_sec - 50, 0};
  Paths found;
  scan_tree(tree.get(), lowers, {.since = begun},
            [&](IndexEntry&& entry) { found.push_back(entry.path); });
  CHECK(found == Paths{"new"});
}

TEST_CASE("a scan tells type, mode, time, target and content", "[scan]") {
  Trees t;
  make_dirs(t.upper + "/d", 0750);
  write_file(t.upper + "/d/file", "hello");
  REQUIRE(::chmod((t.upper + "/d/file").c_str(), 04711) == 0);
  set_time(t.upper + "/d/file", -12345);
  REQUIRE(::symlink("/to/nowhere", (t.upper + "/link").c_str()) == 0);
  REQUIRE(::mkfifo((t.upper + "/pipe").c_str(), 0600) == 0);
  const LayerIndex index = t.scan();
  CHECK(paths(index) == Paths{"d", "d/file", "link", "pipe"});
  const IndexEntry& file = *index.find("d/file");
  CHECK(file.mode == 04711);
  CHECK(file.size == 5);
  CHECK(file.mtime_seconds == -12345);
  CHECK(file.mtime_nanoseconds == 7);
  CHECK(file.content == sha256("hello"));
  CHECK(index.find("d")->mode == 0750);
  CHECK(index.find("link")->target == "/to/nowhere");
  CHECK(index.find("pipe")->type == EntryType::fifo);
}

TEST_CASE("the second name of a file is a hard link to the first", "[scan]") {
  Trees t;
  write_file(t.upper + "/b", "x");
  make_dirs(t.upper + "/a");
  REQUIRE(::link((t.upper + "/b").c_str(), (t.upper + "/a/z").c_str()) == 0);
  REQUIRE(::link((t.upper + "/b").c_str(), (t.upper + "/c").c_str()) == 0);
  const LayerIndex index = t.scan();
  CHECK(index.find("a/z")->type == EntryType::file);
  for (const char* name : {"b", "c"}) {
    CHECK(index.find(name)->type == EntryType::hardlink);
    CHECK(index.find(name)->target == "a/z");
  }
  CHECK(index.total_size() == 1);
}

TEST_CASE("a directory that was only copied up is no change", "[scan]") {
  Trees t;
  make_dirs(t.base + "/etc/app");
  set_time(t.base + "/etc/app", 1000);
  set_time(t.base + "/etc", 2000);
  make_dirs(t.upper + "/etc/app");
  CHECK(t.scan().entries.empty());
}

TEST_CASE("a copied-up directory stands above its changes with its new time",
          "[scan]") {
  Trees t;
  make_dirs(t.base + "/etc/app");
  set_time(t.base + "/etc", 2000);
  make_dirs(t.upper + "/etc/app");
  write_file(t.upper + "/etc/new", "x");
  const LayerIndex index = t.scan();
  CHECK(paths(index) == Paths{"etc", "etc/new"});
  CHECK(index.find("etc")->mtime_seconds > 2000);
}

TEST_CASE("a file that was moved away and back is no change", "[scan]") {
  Trees t;
  make_dirs(t.base + "/d");
  write_file(t.base + "/d/same", "x");
  write_file(t.base + "/d/other", "x");
  make_dirs(t.upper + "/d");
  write_file(t.upper + "/d/same", "x");
  write_file(t.upper + "/d/other", "y");
  for (const char* file : {"/d/same", "/d/other"}) {
    set_time(t.base + file, 1000);
    set_time(t.upper + file, 1000);
  }
  CHECK(paths(t.scan()) == Paths{"d", "d/other"});
  remove_tree(t.upper + "/d/other");
  CHECK(t.scan().entries.empty());
}

TEST_CASE("a directory with another mode is a change", "[scan]") {
  Trees t;
  make_dirs(t.base + "/etc", 0755);
  make_dirs(t.upper + "/etc", 0700);
  CHECK(paths(t.scan()) == Paths{"etc"});
}

TEST_CASE("a directory with another attribute is a change", "[scan]") {
  Trees t;
  make_dirs(t.base + "/etc");
  make_dirs(t.upper + "/etc");
  if (::setxattr((t.upper + "/etc").c_str(), "user.x", "1", 1, 0) != 0) {
    WARN("SKIPPED: no user xattrs here");
    return;
  }
  const LayerIndex index = t.scan();
  CHECK(paths(index) == Paths{"etc"});
  CHECK(index.find("etc")->xattrs ==
        std::map<std::string, std::string>{{"user.x", "1"}});
}

TEST_CASE("a whiteout counts only where there is something below", "[scan]") {
  Trees t;
  write_file(t.base + "/old", "x");
  make_dirs(t.base + "/dir/sub");
  write_file(t.base + "/hidden", "x");
  whiteout(t.top + "/hidden");
  whiteout(t.upper + "/old");
  whiteout(t.upper + "/never");
  whiteout(t.upper + "/hidden");  // gone already
  make_dirs(t.upper + "/dir");
  whiteout(t.upper + "/dir/sub");
  whiteout(t.upper + "/dir/other");
  CHECK(paths(t.scan()) == Paths{"dir", "dir/sub", "old"});
}

TEST_CASE("what an opaque directory of a lower tree hides is not there",
          "[scan]") {
  Trees t;
  make_dirs(t.base + "/d/deep");
  make_dirs(t.top + "/d");
  if (!opaque(t.top + "/d")) {
    WARN("SKIPPED: no overlay xattrs here");
    return;
  }
  make_dirs(t.upper + "/d");
  whiteout(t.upper + "/d/deep");
  CHECK(t.scan().entries.empty());
}

TEST_CASE("an opaque directory hides only where there is something below",
          "[scan]") {
  Trees t;
  make_dirs(t.base + "/old/gone");
  make_dirs(t.upper + "/old");
  make_dirs(t.upper + "/new");
  make_dirs(t.upper + "/marked");
  if (!opaque(t.upper + "/old") || !opaque(t.upper + "/new") ||
      !opaque(t.upper + "/marked", "x")) {
    WARN("SKIPPED: no overlay xattrs here");
    return;
  }
  make_dirs(t.base + "/marked");
  const LayerIndex index = t.scan();
  CHECK(paths(index) == Paths{"new", "old"});
  CHECK(index.find("old")->opaque);
  CHECK_FALSE(index.find("new")->opaque);
  CHECK(index.find("old")->xattrs.empty());
}

TEST_CASE("an opaque directory with what it hides is no change", "[scan]") {
  Trees t;
  for (const std::string& tree : {t.base, t.upper}) {
    make_dirs(tree + "/d/sub/deep");
    write_file(tree + "/d/sub/deep/f", "x");
    set_time(tree + "/d/sub/deep/f", 1000);
    set_time(tree + "/d/sub/deep", 1000);
  }
  set_time(t.base + "/d", 2000);
  set_time(t.base + "/d/sub", 3000);
  write_file(t.base + "/d/sub/removed", "x");
  make_dirs(t.top + "/d/sub");
  whiteout(t.top + "/d/sub/removed");
  set_time(t.top + "/d/sub", 3000);
  set_time(t.top + "/d", 2000);
  if (!opaque(t.upper + "/d/sub")) {
    WARN("SKIPPED: no overlay xattrs here");
    return;
  }
  CHECK(t.scan().entries.empty());
  CHECK(time_of(t.upper + "/d") == 2000);
  CHECK(time_of(t.upper + "/d/sub") == 3000);
  // One file is missing, and all of it counts.
  remove_tree(t.upper + "/d/sub/deep/f");
  CHECK(paths(t.scan()) == Paths{"d", "d/sub", "d/sub/deep"});
  CHECK(t.scan().find("d/sub")->opaque);
}

TEST_CASE("what is known of a file is not read again", "[scan]") {
  Trees t;
  for (const char* name : {"a", "b", "b-c", "d"})
    write_file(t.upper + "/" + name, name);
  KnownContents known;
  // Not what is in the file, which shows that nobody looked.
  known.add("b-c", sha256("another"));
  known.add("b", sha256("gone"));
  known.forget_all();
  known.add("d", sha256("D"));
  known.add("b-c", sha256("BC"));
  known.seal();
  const Fd tree = open_path(t.upper, O_RDONLY | O_DIRECTORY);
  std::vector<Digest> contents;
  scan_tree(tree.get(), {}, {.known = &known},
            [&](IndexEntry&& entry) { contents.push_back(*entry.content); });
  CHECK(contents == std::vector<Digest>{sha256("a"), sha256("b"), sha256("BC"),
                                        sha256("D")});
}

TEST_CASE("a scan gives entries away in order while threads hash", "[scan]") {
  Trees t;
  for (int i = 0; i < 1000; ++i)
    write_file(t.upper + "/" + std::to_string(10000 + i),
               std::string(i % 100 == 0 ? 2'000'000 : 10, 'x'));
  const Fd tree = open_path(t.upper, O_RDONLY | O_DIRECTORY);
  int next = 10000;
  scan_tree(tree.get(), {}, {.threads = 3}, [&](IndexEntry&& entry) {
    CHECK(entry.path == std::to_string(next));
    const std::size_t size = next++ % 100 == 0 ? 2'000'000 : 10;
    CHECK(entry.content == sha256(std::string(size, 'x')));
  });
  CHECK(next == 11000);
}

TEST_CASE("what goes wrong on a hashing thread is told of", "[scan]") {
  Trees t;
  const Fd tree = open_path(t.upper, O_RDONLY | O_DIRECTORY);
  int given = 0;
  const EntrySink count = [&](IndexEntry&&) { ++given; };
  const auto hash = [&] {
    HashedEntries hashed(tree.get(), 3, count);
    for (int i = 0; i < 1000; ++i) {
      IndexEntry entry;
      entry.path = std::to_string(10000 + i);
      // The last hundred, large enough for threads, are not there.
      if (i < 900)
        entry.content = sha256("");
      else
        entry.size = 2'000'000;
      hashed.add(std::move(entry));
    }
    hashed.finish();
  };
  CHECK_THROWS_AS(hash(), SystemError);
  CHECK(given < 1000);
}

TEST_CASE("a file longer or shorter than it was listed is an error", "[scan]") {
  Trees t;
  write_file(t.upper + "/small", "12345");
  write_file(t.upper + "/large", std::string(300'000, 'x'));
  const Fd tree = open_path(t.upper, O_RDONLY | O_DIRECTORY);
  const EntrySink drop = [](IndexEntry&&) {};
  const auto hash = [&](const char* path, std::uint64_t size) {
    HashedEntries hashed(tree.get(), 1, drop);
    IndexEntry entry;
    entry.path = path;
    entry.size = size;
    hashed.add(std::move(entry));
    hashed.finish();
  };
  CHECK_NOTHROW(hash("small", 5));
  CHECK_NOTHROW(hash("large", 300'000));
  for (const auto& [path, size] : {std::pair{"small", 4},
                                   {"small", 6},
                                   {"large", 299'999},
                                   {"large", 300'001}}) {
    INFO(path << " " << size);
    CHECK_THROWS_WITH(hash(path, static_cast<std::uint64_t>(size)),
                      Catch::Contains("changed"));
  }
}

TEST_CASE("a scan with threads is the same", "[scan]") {
  Trees t;
  for (int i = 0; i < 600; ++i)
    write_file(t.upper + "/f" + std::to_string(i),
               std::string(static_cast<std::size_t>(i) * 17, 'x'));
  CHECK(serialize(t.scan(1)) == serialize(t.scan(4)));
  CHECK(t.scan(4).entries.size() == 600);
}
