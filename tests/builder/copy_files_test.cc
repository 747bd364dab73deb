#include <sys/mman.h>

#include <catch2/catch.hpp>

#include "store/content_digest.h"
#include "tests/builder/copy_fixture.h"

namespace cbuild::builder {
namespace {

using testing::copy_spec;
using testing::CopyWorld;
using testing::error_of;
using testing::kMtime;
using testing::plant;
using Tree = std::map<std::string, std::string>;

struct stat stat_of(const std::string& path) {
  struct stat st;
  check(::lstat(path.c_str(), &st), "stat", path);
  return st;
}

TEST_CASE("a file lands under its name or under a new one") {
  CopyWorld world;
  plant(world.context, {{"d/a", "A", 0640}});
  struct Case {
    const char* destination;
    const char* lands;
  };
  for (const Case& c :
       {Case{"/x/y", "x/y"}, Case{"/x/y/", "x/y/a"}, Case{"/x/y/.", "x/y/a"},
        Case{"/", "a"}, Case{"/etc", "etc/a"}, Case{"/../../z", "z"}}) {
    INFO(c.destination);
    CopyWorld fresh;
    plant(fresh.context, {{"d/a", "A", 0640}});
    plant(fresh.destination, {{"etc/", ""}});
    fresh.run(copy_spec({"d/a"}, c.destination));
    const Tree made = fresh.made();
    REQUIRE(made.count(c.lands) == 1);
    CHECK(made.at(c.lands) == "f 640 0:0 A");
    CHECK(stat_of(fresh.destination + "/" + c.lands).st_mtime == kMtime);
  }
}

TEST_CASE("a directory gives its contents, merged with what is there") {
  if (!testing::have_root()) return;
  CopyWorld world;
  plant(world.context, {{"d/", "", 0700},
                        {"d/s/", "", 02750},
                        {"d/s/new", "n"},
                        {"d/same", "new"},
                        {"d/l", "-> same"}});
  plant(world.destination, {{"o/", "", 0711, 3, 4},
                            {"o/s/", "", 0777, 5, 6},
                            {"o/s/old", "o"},
                            {"o/same", "old"},
                            {"o/l", "-> /o/s/old"}});
  world.run(copy_spec({"d"}, "/o"));
  CHECK(world.made() == Tree{{"o", "d 711 3:4"},
                             {"o/s", "d 2750 0:0"},
                             {"o/s/new", "f 644 0:0 n"},
                             {"o/s/old", "f 644 0:0 o"},
                             {"o/same", "f 644 0:0 new"},
                             {"o/l", "l 0:0 -> same"}});
  CHECK(stat_of(world.destination + "/o").st_mtime == kMtime);
  CHECK(stat_of(world.destination + "/o/s").st_mtime == kMtime);
}

TEST_CASE("links in the destination are followed to it and replaced below") {
  CopyWorld world;
  plant(world.context, {{"a", "A"}, {"d/l", "D"}});
  plant(world.destination, {{"real/", ""},
                            {"file", "old"},
                            {"dir", "-> real"},
                            {"abs", "-> /real"},
                            {"out", "-> ../../../real"},
                            {"dangling", "-> /made/here"},
                            {"o/l", "-> /file"}});
  for (const char* destination :
       {"/dir/1", "/abs/2", "/out/3", "/dangling/4", "/dangling/"})
    world.run(copy_spec({"a"}, destination));
  world.run(copy_spec({"d"}, "/o"));
  const Tree made = world.made();
  for (const char* path :
       {"real/1", "real/2", "real/3", "made/here/4", "made/here/a"}) {
    INFO(path);
    CHECK(made.count(path) == 1);
  }
  CHECK(made.at("dir") == "l 0:0 -> real");
  CHECK(made.at("file") == "f 644 0:0 old");
  CHECK(made.at("o/l") == "f 644 0:0 D");
}

TEST_CASE("a file over a link by its full name is written through the link") {
  CopyWorld world;
  plant(world.context, {{"a", "A"}});
  plant(world.destination, {{"l", "-> /not/yet"}, {"dir/a", "-> /keep"}});
  world.run(copy_spec({"a"}, "/l"));
  world.run(copy_spec({"a"}, "/dir"));
  const Tree made = world.made();
  CHECK(made.at("not/yet") == "f 644 0:0 A");
  CHECK(made.at("dir/a") == "f 644 0:0 A");
  CHECK(made.count("keep") == 0);
}

TEST_CASE("files and directories in each other's place are errors") {
  struct Case {
    std::string source, destination, message;
  };
  const Case cases[] = {
      {"d", "/f", "cannot copy to non-directory: /f"},
      {"a", "/d", "cannot replace to directory /d/a with file"},
      {"d", "/n", "cannot replace to directory /n/s with file"},
      {"d", "/m", "cannot copy to non-directory: /m/t"},
      {"a", "/f/", "mkdir /f: not a directory"},
      {"a", "/f/x", "mkdir /f: not a directory"},
      {"a", "/f/x/y/", "mkdir /f: not a directory"},
  };
  for (const Case& c : cases) {
    INFO(c.source << " " << c.destination);
    CopyWorld world;
    plant(world.context, {{"a", "A"}, {"d/s", "S"}, {"d/t/u", "U"}});
    plant(world.destination,
          {{"f", ""}, {"d/a/", ""}, {"n/s/x", ""}, {"m/t", ""}});
    CHECK(error_of([&] { world.run(copy_spec({c.source}, c.destination)); }) ==
          c.message);
  }
}

TEST_CASE("several files to one name without a slash: the last one stays") {
  CopyWorld world;
  plant(world.context, {{"a", "A"}, {"b", "B"}});
  world.run(copy_spec({"a", "b"}, "/x"));
  CHECK(world.made() == Tree{{"x", "f 644 0:0 B"}});
}

TEST_CASE("hard links stay links within one source and one wildcard match") {
  CopyWorld world;
  plant(world.context, {{"d/a", "A"}, {"d/s/", ""}});
  const std::string& c = world.context;
  check(::link((c + "/d/a").c_str(), (c + "/d/s/b").c_str()), "link", "");
  check(::link((c + "/d/a").c_str(), (c + "/c").c_str()), "link", "");
  world.run(copy_spec({"d"}, "/o"));
  world.run(copy_spec({"d/s", "c"}, "/p/"));
  world.run_from(world.context, copy_spec({"d"}, "/q"));
  world.run_from(world.context, copy_spec({"d/s"}, "/r"));
  const std::string& r = world.destination;
  CHECK(stat_of(r + "/o/a").st_ino == stat_of(r + "/o/s/b").st_ino);
  CHECK(stat_of(r + "/q/a").st_ino == stat_of(r + "/q/s/b").st_ino);
  CHECK(stat_of(r + "/p/b").st_nlink == 1);
  CHECK(stat_of(r + "/p/c").st_nlink == 1);
  CHECK(world.made().at("r/b") == "f 644 0:0 A");
}

TEST_CASE("holes of a sparse file cost neither time nor room") {
  CopyWorld world;
  const std::string file = world.context + "/big";
  {
    const Fd out = open_path(file, O_WRONLY | O_CREAT, 0644);
    check(::pwrite(out.get(), "begin", 5, 0), "write", "");
    check(::pwrite(out.get(), "middle", 6, std::int64_t{1} << 38), "write", "");
    check(::ftruncate(out.get(), std::int64_t{1} << 39), "truncate", "");
  }
  if (stat_of(file).st_blocks > 1000) {
    WARN("SKIPPED: no sparse files on the temporary directory");
    return;
  }
  const FileView view = world.view();
  const Fd source = open_path(world.context, O_RDONLY | O_DIRECTORY);
  const Fd target = open_path(world.destination, O_RDONLY | O_DIRECTORY);
  copy_files(copy_spec({"big"}, "/big"), view, source.get(), target.get());
  const struct stat made = stat_of(world.destination + "/big");
  CHECK(made.st_size == std::int64_t{1} << 39);
  CHECK(made.st_blocks < 1000);
  const Fd in = open_path(world.destination + "/big", O_RDONLY);
  char text[6];
  check(::pread(in.get(), text, 6, std::int64_t{1} << 38), "read", "");
  CHECK(std::string(text, 6) == "middle");
}

TEST_CASE("large files arrive whole") {
  CopyWorld world;
  std::string text;
  for (std::uint64_t i = 0; text.size() < 3'000'000; ++i)
    text += std::to_string(i * i);
  plant(world.context, {{"d/big", text}, {"d/edge", text.substr(0, 65536)}});
  world.run(copy_spec({"d"}, "/o"));
  CHECK(*read_file(world.destination + "/o/big") == text);
  CHECK(*read_file(world.destination + "/o/edge") == text.substr(0, 65536));
}

TEST_CASE("a file that changed size since it was listed is an error") {
  CopyWorld world;
  plant(world.context, {{"f", "short"}});
  const FileView view = world.view();
  // The layers of another tree say what is to be expected here.
  const std::string tree = world.dir.path() + "/tree";
  plant(tree, {{"f", "longer than that"}});
  const Fd source = open_path(world.context, O_RDONLY | O_DIRECTORY);
  const Fd target = open_path(world.destination, O_RDONLY | O_DIRECTORY);
  CHECK(error_of([&] {
          copy_files(copy_spec({"f"}, "/f"), testing::layers_of(tree),
                     source.get(), target.get());
        }) == "/f changed while it was copied");
}

TEST_CASE("a file that changed after its key was computed is an error") {
  CopyWorld world;
  plant(world.context, {{"d/f", "old"}});
  const FileView view = world.view();
  const CopySpec spec = copy_spec({"d"}, "/o");
  copy_key_inputs(spec, view);
  ::usleep(20'000);  // past the tick of the clock
  SECTION("written to") { plant(world.context, {{"d/f", "new"}}); }
  SECTION("replaced") {
    plant(world.context, {{"n", "new"}});
    const std::string& c = world.context;
    check(::rename((c + "/n").c_str(), (c + "/d/f").c_str()), "rename", "");
  }
  const Fd source = open_path(world.context, O_RDONLY | O_DIRECTORY);
  const Fd target = open_path(world.destination, O_RDONLY | O_DIRECTORY);
  CHECK(error_of([&] { copy_files(spec, view, source.get(), target.get()); }) ==
        "/d/f changed during the build");
}

// The first write through a mapping sets the times, the next ones do not.
TEST_CASE("a file that changed under its old time is no file of that key") {
  const std::size_t size = GENERATE(std::size_t{3}, std::size_t{9} << 20);
  CopyWorld world;
  plant(world.context, {{"d/f", std::string(size, 'o')}});
  const Fd file = open_path(world.context + "/d/f", O_RDWR);
  void* const at =
      ::mmap(nullptr, 3, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  REQUIRE(at != MAP_FAILED);
  auto* const text = static_cast<volatile char*>(at);
  text[0] = 'o';
  const FileView view = world.view();
  const CopySpec spec = copy_spec({"d"}, "/o");
  copy_key_inputs(spec, view);
  text[0] = 'O';
  const Fd source = open_path(world.context, O_RDONLY | O_DIRECTORY);
  const Fd target = open_path(world.destination, O_RDONLY | O_DIRECTORY);
  CHECK(error_of([&] { copy_files(spec, view, source.get(), target.get()); }) ==
        "/d/f changed during the build");
  ::munmap(at, 3);
}

// Files of a middling size, a large one and one that is a hole.
struct LargeFiles {
  CopyWorld world;
  std::string large = text_of(std::size_t{9} << 20);
  std::string middling = text_of(std::size_t{1} << 20);
  CopySpec spec = copy_spec({"d"}, "/");

  LargeFiles() {
    plant(world.context,
          {{"d/large", large}, {"d/middling", middling}, {"d/hole", ""}});
    check(::truncate((world.context + "/d/hole").c_str(), 9 << 20), "resize",
          "");
  }
  static std::string text_of(std::size_t size) {
    std::string bytes;
    for (int i = 0; bytes.size() < size; ++i) bytes += std::to_string(i);
    return bytes;
  }
  store::KnownContents copy(const FileView& view) const {
    const Fd source = open_path(world.context, O_RDONLY | O_DIRECTORY);
    const Fd target = open_path(world.destination, O_RDONLY | O_DIRECTORY);
    auto known = copy_files(spec, view, source.get(), target.get()).contents;
    known.seal();
    return known;
  }
};

TEST_CASE("what a large file's copy holds is read once it is written") {
  LargeFiles files;
  store::KnownContents known = files.copy(files.world.view());
  CHECK(known.find("hole") ==
        store::content_digest(std::string(std::size_t{9} << 20, '\0')));
  CHECK(known.find("large") == store::content_digest(files.large));
  CHECK_FALSE(known.find("middling"));  // the scan's
  CHECK(read_file(files.world.destination + "/large") == files.large);
}

TEST_CASE("a copy is not read where its source is settled") {
  LargeFiles files;
  ::usleep(50'000);  // past the tick in which they were written
  const FileView view = files.world.view();
  copy_key_inputs(files.spec, view);
  store::KnownContents known = files.copy(view);
  CHECK(known.find("large") == store::content_digest(files.large));
  CHECK(known.find("middling") == store::content_digest(files.middling));
}

TEST_CASE("a copy tells what it wrote, but of what was replaced") {
  CopyWorld world;
  plant(world.context, {{"a/f", "A"}, {"a/g", "G"}, {"b/f", "B"}});
  CopySpec spec = copy_spec({"a"}, "/");
  const FileView view = world.view();
  const Fd source = open_path(world.context, O_RDONLY | O_DIRECTORY);
  const Fd target = open_path(world.destination, O_RDONLY | O_DIRECTORY);
  SECTION("once") {
    auto known = copy_files(spec, view, source.get(), target.get()).contents;
    known.seal();
    CHECK(known.find("f") == store::sha256("A"));
    CHECK(known.find("g") == store::sha256("G"));
    CHECK_FALSE(known.find("h"));
  }
  SECTION("by another source") {
    spec.sources = {"a", "b"};
    auto known = copy_files(spec, view, source.get(), target.get()).contents;
    known.seal();
    CHECK(known.find("f") == store::sha256("B"));
  }
  SECTION("by a heredoc") {
    spec.inline_files = {{"f", "heredoc"}};
    auto known = copy_files(spec, view, source.get(), target.get()).contents;
    known.seal();
    CHECK_FALSE(known.find("f"));
  }
}

TEST_CASE("a heredoc becomes a file of root's, 0644") {
  if (!testing::have_root()) return;
  CopyWorld world;
  plant(world.context, {{"a", "A"}});
  plant(world.destination, {{"d/", ""}});
  CopySpec spec = copy_spec({"a"}, "/d");
  spec.inline_files = {{"EOF", "one\n"}, {"conf", "two\n"}};
  world.run(spec);
  CopySpec named = copy_spec({}, "/new/name");
  named.inline_files = {{"EOF", "three\n"}};
  named.chown = "5:6";
  named.chmod = "a+x";
  world.run(named);
  CHECK(world.made() == Tree{{"d", "d 755 0:0"},
                             {"d/a", "f 644 0:0 A"},
                             {"d/EOF", "f 644 0:0 one\n"},
                             {"d/conf", "f 644 0:0 two\n"},
                             {"new", "d 755 5:6"},
                             {"new/name", "f 755 5:6 three\n"}});
}

TEST_CASE("WORKDIR makes what is missing and leaves what is there") {
  if (!testing::have_root()) return;
  CopyWorld world;
  plant(world.destination,
        {{"a/", "", 0711, 3, 4}, {"f", ""}, {"l", "-> /a/x"}});
  const Fd root = open_path(world.destination, O_RDONLY | O_DIRECTORY);
  make_directories(root.get(), "/a/b/c", 5, 6);
  make_directories(root.get(), "/l/y", 0, 0, 1234);
  make_directories(root.get(), "/", 7, 7);
  const Tree made = world.made();
  CHECK(made.at("a") == "d 711 3:4");
  CHECK(made.at("a/b") == "d 755 5:6");
  CHECK(made.at("a/b/c") == "d 755 5:6");
  CHECK(made.at("a/x/y") == "d 755 0:0");
  CHECK(stat_of(world.destination + "/a/x").st_mtime == 1234);
  CHECK_THROWS_WITH(make_directories(root.get(), "/f/x", 0, 0),
                    "mkdir /f: not a directory");
}

}  // namespace
}  // namespace cbuild::builder
