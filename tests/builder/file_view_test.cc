#include "builder/file_view.h"

#include <catch2/catch.hpp>

#include "tests/builder/copy_fixture.h"

namespace cbuild::builder {
namespace {

using testing::CopyWorld;
using testing::kMtime;
using testing::plant;
using Names = std::vector<std::string>;

TEST_CASE("a context shows its files with root as their owner") {
  CopyWorld world;
  plant(world.context, {{"d/", "", 0711}, {"d/f", "hello", 0640}});
  const FileView view = world.view();
  const auto file = view.lookup("d/f");
  REQUIRE(file);
  CHECK(file->mode == 0640);
  CHECK(file->uid == 0);
  CHECK(file->size == 5);
  CHECK(file->mtime_seconds == kMtime);
  CHECK(view.lookup("d")->type == store::EntryType::directory);
  CHECK(view.children("") == Names{"d"});
  CHECK(view.content("d/f") == store::sha256("hello"));
  CHECK_FALSE(view.lookup("d/g"));
  CHECK_FALSE(view.lookup("d/f/g"));
}

TEST_CASE("a context ends at its root, whatever its links say") {
  CopyWorld world;
  plant(world.dir.path(), {{"secret/", ""}, {"secret/f", "no"}});
  plant(world.context, {{"real/", ""},
                        {"real/f", "yes"},
                        {"up", "-> ../secret"},
                        {"abs", "-> /real/f"},
                        {"chain", "-> real/../abs"},
                        {"loop", "-> loop"}});
  const FileView view = world.view();
  CHECK_FALSE(view.lookup("up/f"));  // lookup follows nothing
  CHECK_FALSE(view.resolve("up/f"));
  CHECK(view.resolve("abs") == "real/f");
  CHECK(view.resolve("chain") == "real/f");
  CHECK(view.resolve("real/../../../real/f") == "real/f");
  CHECK(view.lookup("abs")->target == "/real/f");
  CHECK_THROWS_WITH(view.resolve("loop"), Catch::Contains("too many links"));
}

TEST_CASE("what the ignore file excludes does not exist in a context") {
  CopyWorld world;
  plant(world.context, {{"keep", ""},
                        {"drop", ""},
                        {"link", "-> drop"},
                        {"build/out", ""},
                        {"build/deep/keep", ""},
                        {"other/x", ""}});
  world.ignore = {"drop", "build", "!build/deep/keep", "other"};
  const FileView view = world.view();
  CHECK(view.children("") == Names{"build", "keep", "link"});
  CHECK(view.children("build") == Names{"deep"});
  CHECK(view.lookup("build/deep/keep"));
  CHECK_FALSE(view.lookup("build/out"));
  CHECK_FALSE(view.lookup("other"));
  CHECK_FALSE(view.resolve("link"));
  CHECK(view.reason_absent("drop") ==
        "excluded by pattern 1 of the ignore file");
  CHECK(view.reason_absent("nothing").empty());
}

TEST_CASE("an excluded path says where its pattern stands") {
  CopyWorld world;
  plant(world.context, {{"a", ""}});
  const FileView view = FileView::of_directory(
      world.context, parser::IgnoreMatcher(std::vector<std::string>{"b", "a"}),
      world.dir.path() + "/table", {".dockerignore:1", ".dockerignore:4"});
  CHECK(view.reason_absent("a") == "excluded by .dockerignore:4");
}

// Gives a file a time of change that lies far enough back to be trusted.
void wait_for_tick() { ::usleep(60'000); }

TEST_CASE("an unchanged file of a context is not read a second time") {
  CopyWorld world;
  plant(world.context, {{"f", "one"}});
  wait_for_tick();
  {
    const FileView view = world.view();
    CHECK(view.content("f") == store::sha256("one"));
    view.save_stat_table();
  }
  // Unreadable, but for a table that knows the file. As root the mode does not
  // matter, so the table itself is looked at.
  const std::string table = world.dir.path() + "/table";
  const Fd dir = open_path(table, O_RDONLY | O_DIRECTORY);
  const Names files = list_dir(dir.get());
  REQUIRE(files.size() == 1);
  const std::string before = *read_file(table + "/" + files[0]);
  {
    const FileView view = world.view();
    CHECK(view.content("f") == store::sha256("one"));
    view.save_stat_table();
  }
  CHECK(*read_file(table + "/" + files[0]) == before);

  SECTION("other content of the same size and time is seen") {
    plant(world.context, {{"f", "two"}});
    CHECK(world.view().content("f") == store::sha256("two"));
  }
  SECTION("a damaged table is as good as none") {
    std::string bytes = before;
    for (std::size_t i = 30; i < bytes.size(); ++i) bytes[i] ^= 0x55;
    replace_file_at(dir.get(), files[0], bytes, false);
    CHECK(world.view().content("f") == store::sha256("one"));
    replace_file_at(dir.get(), files[0], before.substr(0, 50), false);
    CHECK(world.view().content("f") == store::sha256("one"));
  }
}

TEST_CASE("a digest read in the tick of the change is not kept") {
  const std::int64_t now = StatTable::clock();
  CopyWorld world;
  const std::string file = world.dir.path() + "/table/t";
  const FileFacts facts{store::sha256("x"), false};
  FileIdentity fresh{1, 2, 3, now, now};
  FileIdentity old = fresh;
  old.ctime = now - 100'000'001;
  FileIdentity whole_seconds = fresh;
  whole_seconds.ctime = (now / 1'000'000'000 - 1) * 1'000'000'000;
  {
    StatTable table(file);
    for (const FileIdentity& id : {fresh, old, whole_seconds})
      table.put(id, facts, now);
    CHECK(table.find(fresh));  // as long as this build runs
    table.save();
  }
  StatTable table(file);
  CHECK_FALSE(table.find(fresh));
  CHECK(table.find(old));
  CHECK_FALSE(table.find(whole_seconds));
}

TEST_CASE("a stat table keeps what it had when more is added") {
  CopyWorld world;
  const std::string file = world.dir.path() + "/table/t";
  const auto facts_of = [](std::uint64_t inode) {
    return FileFacts{store::sha256(std::to_string(inode)), inode % 2 == 0};
  };
  const std::int64_t now = StatTable::clock();
  for (const std::uint64_t start : {5, 2, 9}) {
    StatTable table(file);
    for (std::uint64_t inode = start; inode < 40; inode += 3)
      table.put({1, inode, 1, 1, 1}, facts_of(inode), now);
    table.save();
  }
  StatTable table(file);
  for (const std::uint64_t inode : {2, 5, 8, 9, 12, 36, 38}) {
    INFO(inode);
    const auto found = table.find({1, inode, 1, 1, 1});
    REQUIRE(found);
    CHECK(found->content == facts_of(inode).content);
    CHECK(found->has_xattrs == facts_of(inode).has_xattrs);
  }
  CHECK_FALSE(table.find({1, 3, 1, 1, 1}));
}

TEST_CASE("layers show their true owners and hard links as files") {
  if (!testing::have_root()) return;
  CopyWorld world;
  const std::string tree = world.dir.path() + "/tree";
  plant(tree, {{"d/", "", 0750, 5, 6},
               {"d/a", "text", 0600, 7, 8},
               {"d.x", ""},
               {"d-x", ""},
               {"l", "-> /d/a"}});
  check(::link((tree + "/d/a").c_str(), (tree + "/d/b").c_str()), "link", "");
  const FileView view = testing::layers_of(tree);
  CHECK(view.children("") == Names{"d", "d-x", "d.x", "l"});
  CHECK(view.children("d") == Names{"a", "b"});
  CHECK(view.lookup("d")->uid == 5);
  CHECK(view.lookup("d/b")->type == store::EntryType::file);
  CHECK(view.lookup("d/b")->gid == 8);
  CHECK(view.content("d/b") == store::sha256("text"));
  CHECK(view.link_id("d/a", *view.find("d/a")) ==
        view.link_id("d/b", *view.find("d/b")));
  CHECK(view.link_id("d.x", *view.find("d.x")).empty());
  CHECK(view.resolve("l") == "d/a");
  CHECK_FALSE(view.is_context());
}

}  // namespace
}  // namespace cbuild::builder
