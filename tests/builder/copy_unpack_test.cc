#include <catch2/catch.hpp>

#include "store/tar.h"
#include "tests/builder/copy_fixture.h"

namespace cbuild::builder {
namespace {

using store::EntryType;
using testing::add_spec;
using testing::copy_spec;
using testing::CopyWorld;
using testing::error_of;
using testing::kMtime;
using testing::plant;
using Tree = std::map<std::string, std::string>;

struct Member {
  std::string path;
  EntryType type = EntryType::file;
  std::string text;  // content, or target
  unsigned mode = 0644;
  unsigned uid = 0;
  unsigned gid = 0;
};

std::string tar_of(const std::vector<Member>& members) {
  std::string bytes;
  store::TarWriter writer([&](std::string_view part) { bytes += part; });
  for (const Member& member : members) {
    store::IndexEntry entry;
    entry.path = member.path;
    entry.type = member.type;
    entry.mode = member.mode;
    entry.uid = member.uid;
    entry.gid = member.gid;
    entry.mtime_seconds = kMtime;
    if (member.type == EntryType::file)
      entry.size = member.text.size();
    else
      entry.target = member.text;
    writer.add(entry);
    if (member.type == EntryType::file) writer.write(member.text);
  }
  writer.finish();
  return bytes;
}

Tree unpacked(const std::vector<Member>& members, CopySpec spec,
              const std::vector<testing::Node>& before = {}) {
  CopyWorld world;
  plant(world.context, {{"a.tar", tar_of(members)}});
  plant(world.destination, before);
  world.run(spec);
  return world.made();
}

TEST_CASE("ADD unpacks a tar with its owners, modes and links") {
  if (!testing::have_root()) return;
  const std::vector<Member> members = {
      {"d", EntryType::directory, "", 02750, 1, 2},
      {"d/f", EntryType::file, "F", 04755, 3, 4},
      {"h", EntryType::hardlink, "d/f", 04755, 3, 4},
      {"l", EntryType::symlink, "../../x", 0777, 5, 6},
      {"implied/f", EntryType::file, "I", 0600, 7, 8}};
  CHECK(unpacked(members, add_spec({"a.tar"}, "/o")) ==
        Tree{{"o", "d 755 0:0"},
             {"o/d", "d 2750 1:2"},
             {"o/d/f", "f 4755 3:4 F"},
             {"o/h", "f 4755 3:4 F"},
             {"o/l", "l 5:6 -> ../../x"},
             {"o/implied", "d 755 0:0"},
             {"o/implied/f", "f 600 7:8 I"}});

  CopySpec owned = add_spec({"a.tar"}, "/o");
  owned.chown = "9:9";
  owned.chmod = "600";
  owned.exclude = {"d"};
  const Tree made = unpacked(members, owned);
  CHECK(made.at("o") == "d 755 9:9");
  CHECK(made.at("o/d") == "d 2750 9:9");
  CHECK(made.at("o/d/f") == "f 4755 9:9 F");
  CHECK(made.at("o/l") == "l 9:9 -> ../../x");
  CHECK(made.at("o/implied") == "d 755 0:0");
}

TEST_CASE("no name, link or target in an archive leads out of its place") {
  const Tree made =
      unpacked({{"/abs", EntryType::file, "1"},
                {"../up", EntryType::file, "2"},
                {"a/../../up2", EntryType::file, "3"},
                {"out", EntryType::symlink, "/../../etc"},
                {"etc", EntryType::directory, "", 0755},
                {"out/f", EntryType::file, "4"},
                {"hard", EntryType::hardlink, "/../../abs"}},
               add_spec({"a.tar"}, "/o/"), {{"etc/", ""}, {"abs", "not this"}});
  CHECK(made.at("o/abs") == "f 644 0:0 1");
  CHECK(made.at("o/up") == "f 644 0:0 2");
  CHECK(made.at("o/up2") == "f 644 0:0 3");
  CHECK(made.at("o/etc/f") == "f 644 0:0 4");
  CHECK(made.at("o/hard") == "f 644 0:0 1");
  CHECK(made.at("abs") == "f 644 0:0 not this");
  CHECK(made.count("etc/f") == 0);
}

TEST_CASE("members replace what is there; directories merge") {
  if (!testing::have_root()) return;
  const Tree made = unpacked({{"dir", EntryType::directory, "", 0700, 1, 1},
                              {"was-dir", EntryType::file, "F"},
                              {"was-link", EntryType::file, "L"},
                              {"usr/f", EntryType::file, "U"}},
                             add_spec({"a.tar"}, "/"),
                             {{"dir/old", "O"},
                              {"was-dir/x", ""},
                              {"kept", "K"},
                              {"was-link", "-> kept"},
                              {"real/", ""},
                              {"usr", "-> real"}});
  CHECK(made.at("dir") == "d 700 1:1");
  CHECK(made.at("dir/old") == "f 644 0:0 O");
  CHECK(made.at("was-dir") == "f 644 0:0 F");
  CHECK(made.at("was-link") == "f 644 0:0 L");
  CHECK(made.at("kept") == "f 644 0:0 K");
  CHECK(made.at("usr") == "l 0:0 -> real");
  CHECK(made.at("real/f") == "f 644 0:0 U");
}

TEST_CASE("directories keep the time the archive gives them") {
  CopyWorld world;
  plant(world.context, {{"a.tar", tar_of({{"d", EntryType::directory, "", 0755},
                                          {"d/f", EntryType::file, ""}})}});
  world.run(add_spec({"a.tar"}, "/o/"));
  struct stat st;
  check(::stat((world.destination + "/o/d").c_str(), &st), "stat", "");
  CHECK(st.st_mtime == kMtime);
}

TEST_CASE("only the content says whether ADD unpacks") {
  CopyWorld world;
  const std::string tar = tar_of({{"f", EntryType::file, "F"}});
  std::string wrong_sum = tar;
  wrong_sum[0] = 'g';
  plant(world.context, {{"tar.txt", tar},
                        {"wrong", wrong_sum},
                        {"empty.tar", ""},
                        {"zeros.tar", std::string(10240, '\0')},
                        {"text.tar.gz", "no"},
                        {"magic.gz", "\x1f\x8b\x08 but no more"},
                        {"link", "-> tar.txt"}});
  CopySpec kept = add_spec({"tar.txt"}, "/kept");
  kept.unpack = false;
  world.run(kept);
  world.run(copy_spec({"tar.txt"}, "/copied"));
  world.run(add_spec({"tar.txt"}, "/made"));
  world.run(add_spec({"link"}, "/linked"));
  world.run(
      add_spec({"wrong", "empty.tar", "zeros.tar", "text.tar.gz", "magic.gz"},
               "/plain/"));
  const Tree made = world.made();
  CHECK(made.at("kept").substr(0, 1) == "f");
  CHECK(made.at("copied").substr(0, 1) == "f");
  CHECK(made.at("made/f") == "f 644 0:0 F");
  CHECK(made.at("linked/f") == "f 644 0:0 F");
  for (const char* name :
       {"wrong", "empty.tar", "zeros.tar", "text.tar.gz", "magic.gz"})
    CHECK(made.count(std::string("plain/") + name) == 1);
}

TEST_CASE("sparse members of every kind unpack with their holes") {
  CopyWorld world;
  const std::string& c = world.context;
  const std::string make = "cd " + c +
                           " && truncate -s 3M f && printf begin | dd of=f "
                           "conv=notrunc status=none && printf end >> f && ";
  const char* kinds[] = {
      "--format=gnu", "--format=oldgnu", "--format=pax --sparse-version=0.0",
      "--format=pax --sparse-version=0.1", "--format=pax --sparse-version=1.0"};
  for (const char* kind : kinds) {
    INFO(kind);
    const std::string tar = make + "tar -S " + kind + " -cf a.tar f && rm f";
    REQUIRE(std::system(tar.c_str()) == 0);
    REQUIRE(read_file(c + "/a.tar")->size() < 100'000);
    world.run(add_spec({"a.tar"}, "/o/"));
    const std::string made = *read_file(world.destination + "/o/f");
    CHECK(made.size() == (3u << 20) + 3);
    CHECK(made.substr(0, 6) == std::string("begin\0", 6));
    CHECK(made.ends_with(std::string("\0end", 4)));
    const struct stat st = *lstat_at(AT_FDCWD, world.destination + "/o/f");
    CHECK(st.st_blocks < 200);
  }
}

TEST_CASE("a hard link of an archive leads to what is there, or is an error") {
  CopyWorld world;
  plant(world.context,
        {{"a.tar", tar_of({{"n", EntryType::hardlink, "old"}})},
         {"b.tar", tar_of({{"n", EntryType::hardlink, "nowhere"}})}});
  plant(world.destination, {{"o/old", "text", 0600}});
  world.run(add_spec({"a.tar"}, "/o/"));
  CHECK(world.made().at("o/n").ends_with(" text"));
  CHECK_THAT(error_of([&] { world.run(add_spec({"b.tar"}, "/p/")); }),
             Catch::Contains("unpack /b.tar: link /nowhere to /n: No such"));
}

TEST_CASE("a directory that a later member replaced is no error") {
  const Tree made = unpacked({{"x", EntryType::directory, "", 0700},
                              {"x/f", EntryType::file, "F"},
                              {"x", EntryType::file, "X"},
                              {"y", EntryType::directory, "", 0700},
                              {"y", EntryType::symlink, "nowhere"}},
                             add_spec({"a.tar"}, "/o/"));
  CHECK(made.at("o/x") == "f 644 0:0 X");
  CHECK(made.at("o/y") == "l 0:0 -> nowhere");
}

TEST_CASE("ADD unpacks what is compressed once, a file's link leads to it") {
  CopyWorld world;
  plant(world.context, {{"plain", tar_of({{"d/f", EntryType::file, "F"}})},
                        {"link", "-> once"}});
  const std::string from = "cd " + world.context + " && ";
  int number = 0;
  for (const char* program : {"gzip", "bzip2", "xz", "zstd", "cat"}) {
    INFO(program);
    const std::string compress =
        from + program + " < plain > once && " + program + " < once > twice";
    REQUIRE(std::system(compress.c_str()) == 0);
    const std::string place = "o" + std::to_string(++number);
    world.run(add_spec({"once"}, "/" + place));
    world.run(add_spec({"link"}, "/" + place + "/linked"));
    CHECK(world.made().at(place + "/d/f") == "f 644 0:0 F");
    CHECK(world.made().at(place + "/linked/d/f") == "f 644 0:0 F");
    if (program == std::string("cat")) continue;
    world.run(add_spec({"twice"}, "/" + place + "/"));
    CHECK(world.made().count(place + "/twice") == 1);
  }
}

TEST_CASE("an archive is unpacked whatever its check sum says") {
  CopyWorld world;
  const std::string large(300'000, 'x');
  plant(world.context, {{"small", tar_of({{"f", EntryType::file, "F"}})},
                        {"large", tar_of({{"f", EntryType::file, large}})}});
  for (const char* name : {"small", "large"}) {
    const std::string file = world.context + "/" + name;
    REQUIRE(std::system(("gzip " + file).c_str()) == 0);
    const std::string packed = *read_file(file + ".gz");
    std::string sum = packed;
    sum[sum.size() - 6] ^= 1;
    std::string length = packed;
    length[length.size() - 1] ^= 1;
    for (const std::string& bytes :
         {sum, length, packed.substr(0, packed.size() - 8), packed + "more"}) {
      plant(world.context, {{name, bytes}});
      world.run(add_spec({name}, "/" + std::string(name)));
      CHECK(world.made().at(std::string(name) + "/f").size() > 10);
      remove_tree(world.destination + "/" + name);
    }
  }
}

TEST_CASE("what is wrong with an archive names the archive and the member") {
  CopyWorld world;
  std::string broken = tar_of({{"f", EntryType::file, "F"}});
  broken.resize(1024);
  broken += std::string(512, 'x');
  plant(world.context, {{"broken.tar", broken},
                        {"below.tar", tar_of({{"a", EntryType::file, ""},
                                              {"a/b", EntryType::file, ""}})},
                        {"a", ""}});
  CHECK_THAT(error_of([&] { world.run(add_spec({"broken.tar"}, "/x")); }),
             Catch::Contains("unpack /broken.tar: ") &&
                 Catch::Contains("invalid tar header"));
  CHECK(error_of([&] { world.run(add_spec({"below.tar"}, "/y")); }) ==
        "unpack /below.tar: open /a/b: not a directory");
  CHECK(error_of([&] {
          world.run(add_spec({"a", "below.tar"}, "/z"));
        }) == "mkdir /z: not a directory");
}

}  // namespace
}  // namespace cbuild::builder
