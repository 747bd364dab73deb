// What a tarball may bring into the store, and as what.
#include <sys/stat.h>
#include <sys/xattr.h>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "layer_fixture.h"
#include "store/merged_index.h"

using namespace cbuild;
using namespace cbuild::store;

TEST_CASE("names in a tarball cannot lead out of the tree", "[layers]") {
  ScratchStore s;
  const std::string outside = s.dir.path() + "/outside";
  make_dirs(outside);
  write_file(outside + "/victim", "safe");
  TarFile tar;
  tar.file("../../../escape", "x")
      .file("/absolute", "x")
      .link("out", outside, EntryType::symlink)
      .file("out/victim", "owned")
      .link("up", "../../../../..", EntryType::symlink)
      .file("up" + outside + "/victim", "owned")
      .link("hard", "out/victim", EntryType::hardlink);
  const std::string tree = s.store.layers.tree(load(s.store, tar.take()));
  CHECK(content(outside + "/victim") == "safe");
  CHECK(content(tree + "/escape") == "x");
  CHECK(content(tree + "/absolute") == "x");
  CHECK(content(tree + outside + "/victim") == "owned");
  CHECK(content(tree + "/hard") == "owned");
  CHECK(list_dir(open_path(outside, O_RDONLY).get()).size() == 1);
}

TEST_CASE("a hard link to nothing in the layer is an error", "[layers]") {
  for (const char* target : {"/etc/passwd", "absent", "../x", "d"}) {
    ScratchStore s;
    TarFile tar;
    tar.dir("d").link("hard", target, EntryType::hardlink);
    const LayerId id = load(s.store, tar.take());
    CHECK_THROWS_WITH(s.store.layers.tree(id), Catch::Contains("hard link"));
    CHECK_FALSE(s.store.layers.has_tree(id));
    CHECK_THROWS_AS(s.store.layers.index(id), Error);
  }
}

TEST_CASE("the last of several entries of one name counts", "[layers]") {
  ScratchStore s;
  TarFile tar;
  tar.file("f", "old")
      .link("l", "f", EntryType::hardlink)
      .file("f", "new")
      .dir("d")
      .file("d/x", "x")
      .dir("d", 0700)  // keeps what it holds
      .dir("gone")
      .file("gone/x", "x")
      .file("gone", "file now")
      .file("made", "x")
      .dir("made")
      .file("made/y", "y");
  const LayerId id = load(s.store, tar.take());
  const std::string tree = s.store.layers.tree(id);
  CHECK(content(tree + "/f") == "new");
  CHECK(content(tree + "/l") == "old");
  CHECK(content(tree + "/d/x") == "x");
  CHECK(lstat_at(AT_FDCWD, tree + "/d")->st_mode == (S_IFDIR | 0700));
  CHECK(content(tree + "/gone") == "file now");
  CHECK(content(tree + "/made/y") == "y");
  const auto index = s.store.layers.index(id);
  CHECK(index->find("l")->type == EntryType::file);
  CHECK(index->find("l")->content == sha256("old"));
  CHECK(index->find("gone/x") == nullptr);
  CHECK(serialize(scan(tree)) == serialize(*index));
}

TEST_CASE("an entry below a file is an error", "[layers]") {
  ScratchStore s;
  TarFile tar;
  tar.file("f", "x").file("f/below", "x");
  CHECK_THROWS_WITH(s.store.layers.tree(load(s.store, tar.take())),
                    Catch::Contains("f is not a directory"));
}

TEST_CASE("whiteouts in a tarball become overlay whiteouts", "[layers]") {
  ScratchStore s;
  TarFile tar;
  tar.dir("d")
      .file("d/.wh.gone", "")
      .file(".wh.top", "")
      .dir("o")
      .file("o/.wh..wh..opq", "")
      .file("o/new", "x")
      .file(".wh.both", "")
      .dir("both")
      .file("both/x", "x")
      .dir("late")
      .file("late/x", "x")
      .file(".wh.late", "")
      .file(".wh.file", "")
      .file("file", "x")
      .file("bare/.wh..wh..opq", "")
      .file(".wh..wh.plnk", "aufs");
  const LayerId id = load(s.store, tar.take());
  const std::string tree = s.store.layers.tree(id);
  const auto is_whiteout = [&](const char* name) {
    const auto st = lstat_at(AT_FDCWD, tree + "/" + name);
    return st && S_ISCHR(st->st_mode) && st->st_rdev == 0;
  };
  const auto is_opaque = [&](const char* name) {
    char value[2];
    const std::string path = tree + "/" + name;
    return ::getxattr(path.c_str(), "trusted.overlay.opaque", value, 2) == 1 ||
           ::getxattr(path.c_str(), "user.overlay.opaque", value, 2) == 1;
  };
  CHECK(is_whiteout("d/gone"));
  CHECK(is_whiteout("top"));
  CHECK(is_opaque("o"));
  CHECK(content(tree + "/o/new") == "x");
  // Hidden below, made anew here, in either order.
  CHECK(is_opaque("both"));
  CHECK(content(tree + "/both/x") == "x");
  CHECK(is_opaque("late"));
  CHECK(content(tree + "/file") == "x");
  CHECK(is_opaque("bare"));
  CHECK_FALSE(lstat_at(AT_FDCWD, tree + "/.wh..wh.plnk"));
  const auto index = s.store.layers.index(id);
  CHECK(index->find("d/gone")->type == EntryType::whiteout);
  CHECK(index->find("o")->opaque);
  CHECK(index->find("file")->type == EntryType::file);
}

// Bug B9 of the peers: a mount takes such a node for a deletion anyway, so
// index and tree must agree that it is one.
TEST_CASE("a device 0:0 in a tarball is overlayfs' whiteout", "[layers]") {
  ScratchStore s;
  TarFile tar;
  tar.dir("d");
  tar.tar.add(tar_entry("d/gone", EntryType::character_device));
  IndexEntry block = tar_entry("d/block", EntryType::block_device);
  tar.tar.add(block);
  tar.dir("d/.wh.x").file("d/.wh.x/y", "below a name of a whiteout");
  const LayerId id = load(s.store, tar.take());
  const auto index = s.store.layers.index(id);
  REQUIRE(index->find("d/gone") != nullptr);
  CHECK(index->find("d/gone")->type == EntryType::whiteout);
  CHECK(index->find("d/block")->type == EntryType::block_device);
  const auto st = lstat_at(AT_FDCWD, s.store.layers.tree(id) + "/d/gone");
  REQUIRE(st);
  CHECK(S_ISCHR(st->st_mode));
}

// Bug B12: labels of another machine's security modules.
TEST_CASE("a labelled base image unpacks for everybody", "[layers]") {
  ScratchStore s;
  TarFile tar;
  for (const EntryType type :
       {EntryType::directory, EntryType::fifo, EntryType::symlink}) {
    IndexEntry entry = tar_entry("e" + std::to_string(int(type)), type);
    if (type == EntryType::symlink) entry.target = "x";
    entry.xattrs = {{"security.selinux", "system_u:object_r:bin_t:s0"},
                    {"security.ima", "\x03signature"},
                    {"system.nfs4_acl", "x"},
                    {"unknown.name", "x"}};
    tar.tar.add(entry);
  }
  const LayerId id = load(s.store, tar.take());
  for (const char* name : {"e1", "e2"})
    CHECK(lstat_at(AT_FDCWD, s.store.layers.tree(id) + "/" + name));
  CHECK(s.store.layers.index(id)->entries.size() == 3);
}

TEST_CASE("a tarball cannot bring overlayfs attributes along", "[layers]") {
  ScratchStore s;
  TarFile tar;
  IndexEntry dir = tar_entry("d", EntryType::directory);
  dir.xattrs = {{"trusted.overlay.redirect", "/etc"},
                {"user.overlay.opaque", "y"},
                {"user.fine", "1"}};
  tar.tar.add(dir);
  const LayerId id = load(s.store, tar.take());
  const std::string path = s.store.layers.tree(id) + "/d";
  char value[16];
  CHECK(::getxattr(path.c_str(), "trusted.overlay.redirect", value, 16) == -1);
  CHECK(::getxattr(path.c_str(), "user.overlay.opaque", value, 16) == -1);
  CHECK(s.store.layers.index(id)->find("d")->xattrs.size() == 1);
}

TEST_CASE("directories keep their times though files came later", "[layers]") {
  ScratchStore s;
  TarFile tar;
  tar.dir("a").dir("a/b", 0555).file("a/b/c", "x").file("implied/d/e", "x");
  const std::string tree = s.store.layers.tree(load(s.store, tar.take()));
  for (const char* path : {"/a", "/a/b", "/a/b/c"})
    CHECK(lstat_at(AT_FDCWD, tree + path)->st_mtime == 1600000000);
  CHECK(lstat_at(AT_FDCWD, tree + "/implied/d")->st_mode == (S_IFDIR | 0755));
  CHECK(lstat_at(AT_FDCWD, tree)->st_mode == (S_IFDIR | 0755));
}

TEST_CASE("a directory missing in a tarball looks as the layers below say",
          "[layers]") {
  ScratchStore s;
  TarFile base;
  base.dir("secret", 0700).dir("secret/in", 01777);
  TarFile upper;
  upper.file("secret/in/file", "x").file("other/file", "x");
  const std::vector<LayerId> chain = {load(s.store, base.take()),
                                      load(s.store, upper.take())};
  const std::string tree = s.store.layers.tree(chain[1]);
  CHECK(lstat_at(AT_FDCWD, tree + "/secret")->st_mode == (S_IFDIR | 0755));
  s.store.layers.settle(chain);
  CHECK(lstat_at(AT_FDCWD, tree + "/secret")->st_mode == (S_IFDIR | 0700));
  CHECK(lstat_at(AT_FDCWD, tree + "/secret/in")->st_mode == (S_IFDIR | 01777));
  CHECK(lstat_at(AT_FDCWD, tree + "/secret/in")->st_mtime == 1600000000);
  CHECK(lstat_at(AT_FDCWD, tree + "/other")->st_mode == (S_IFDIR | 0755));
}

TEST_CASE("a tarball of another diffID than promised is not unpacked",
          "[layers]") {
  ScratchStore s;
  TarFile tar;
  const std::string bytes = tar.file("f", "x").take();
  const Digest digest = s.store.blobs.put(bytes);
  const LayerId id = s.store.layers.add_blob(sha256("other"), digest,
                                             bytes.size(), Compression::none);
  CHECK_THROWS_AS(s.store.layers.tree(id), DigestMismatch);
  CHECK_THROWS_AS(s.store.layers.index(id), DigestMismatch);
  CHECK_FALSE(s.store.layers.has_tree(id));
}

TEST_CASE("a layer whose blob is not here says so", "[layers]") {
  ScratchStore s;
  const LayerId id =
      s.store.layers.add_blob(sha256("a"), sha256("b"), 5, Compression::gzip);
  CHECK(s.store.layers.exists(id));
  CHECK(s.store.layers.recorded_blob(id)->digest == sha256("b"));
  CHECK_FALSE(s.store.layers.known_tarball(id, Compression::gzip));
  CHECK_THROWS_WITH(s.store.layers.tree(id), Catch::Contains("pull"));
  CHECK_THROWS_WITH(s.store.layers.tarball(id, {}), Catch::Contains("pull"));
  CHECK_THROWS_WITH(s.store.layers.tree("0123"), Catch::Contains("no layer"));
  CHECK_THROWS_AS(s.store.layers.tree("../../etc"), Error);
}

TEST_CASE("a damaged tarball leaves no tree", "[layers]") {
  ScratchStore s;
  TarFile tar;
  std::string bytes = tar.file("f", std::string(100000, 'x')).take();
  const LayerId id = load(s.store, bytes);
  bytes[2000] = 'y';
  write_file(s.store.blobs.path(Digest::from_hex(id)), bytes);
  CHECK_THROWS_AS(s.store.layers.tree(id), DamagedBlob);
  write_file(s.store.blobs.path(Digest::from_hex(id)), "");
  CHECK_THROWS_AS(s.store.layers.tree(id), Error);
  CHECK_FALSE(s.store.layers.has_tree(id));
}

TEST_CASE("owners, devices and capabilities are unpacked by root", "[layers]") {
  if (!root()) {
    WARN("SKIPPED: needs root");
    return;
  }
  ScratchStore s;
  TarFile tar;
  IndexEntry device = tar_entry("null", EntryType::character_device, 0666);
  device.dev_major = 1;
  device.dev_minor = 3;
  device.uid = 5;
  tar.tar.add(device);
  IndexEntry file = tar_entry("ping", EntryType::file, 06755);
  file.uid = 1000;
  file.gid = 3000000000u;
  file.xattrs["security.capability"] =
      std::string("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  tar.tar.add(file);
  const std::string tree = s.store.layers.tree(load(s.store, tar.take()));
  const auto null = *lstat_at(AT_FDCWD, tree + "/null");
  CHECK(null.st_mode == (S_IFCHR | 0666));
  CHECK(null.st_rdev == 0x103);
  CHECK(null.st_uid == 5);
  const auto ping = *lstat_at(AT_FDCWD, tree + "/ping");
  CHECK(ping.st_mode == (S_IFREG | 06755));
  CHECK(ping.st_uid == 1000);
  CHECK(ping.st_gid == 3000000000u);
  CHECK(scan(tree).find("ping")->xattrs == file.xattrs);
}
