#include "store/layer_store.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <catch2/catch.hpp>
#include <thread>

#include "base/error.h"
#include "scratch.h"
#include "store/merged_index.h"
#include "store/tar.h"

using namespace cbuild;
using namespace cbuild::store;

namespace {

IndexEntry entry_of(const std::string& path, EntryType type,
                    std::uint32_t mode = 0755) {
  IndexEntry entry;
  entry.path = path;
  entry.type = type;
  entry.mode = mode;
  entry.mtime_seconds = 1600000000;
  return entry;
}

struct TarFile {
  std::string bytes;
  TarWriter tar{[this](std::string_view data) { bytes += data; }};

  TarFile& file(const std::string& path, const std::string& content,
                std::uint32_t mode = 0644) {
    IndexEntry entry = entry_of(path, EntryType::file, mode);
    entry.size = content.size();
    tar.add(entry);
    tar.write(content);
    return *this;
  }
  TarFile& dir(const std::string& path, std::uint32_t mode = 0755) {
    tar.add(entry_of(path, EntryType::directory, mode));
    return *this;
  }
  TarFile& link(const std::string& path, const std::string& target,
                EntryType type) {
    IndexEntry entry = entry_of(path, type);
    entry.target = target;
    tar.add(entry);
    return *this;
  }
  std::string take() {
    tar.finish();
    return bytes;
  }
};

LayerId load(Store& store, const std::string& tar) {
  const Digest digest = store.blobs.put(tar);
  return store.layers.add_blob(digest, digest, tar.size(), Compression::none);
}

std::string content(const std::string& path) {
  return read_file(path).value_or("(absent)");
}

bool root() { return ::geteuid() == 0; }

// A tree as a RUN leaves it: every kind of entry.
std::string sample_tree(Store& store) {
  TempDir dir = store.temp_dir("tree-");
  const std::string tree = dir.path();
  dir.keep();
  make_dirs(tree + "/bin");
  write_file(tree + "/bin/tool", std::string(300000, 't'));
  ::chmod((tree + "/bin/tool").c_str(), 04755);
  ::link((tree + "/bin/tool").c_str(), (tree + "/bin/alias").c_str());
  ::symlink("tool", (tree + "/bin/link").c_str());
  ::mkfifo((tree + "/pipe").c_str(), 0600);
  write_file(tree + "/n\xff\xc3\xa9", "odd name");
  write_file(tree + "/" + std::string(200, 'l'), "");
  if (root()) {
    ::chown((tree + "/bin").c_str(), 1000, 1001);
    ::setxattr((tree + "/bin/tool").c_str(), "security.capability",
               "\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20, 0);
    ::mknod((tree + "/null").c_str(), S_IFCHR | 0666, 0x103);
  }
  return tree;
}

LayerIndex scan(const std::string& tree) {
  const Fd fd = open_path(tree, O_RDONLY | O_DIRECTORY);
  return scan_tree(fd.get(), {}, 1);
}

}  // namespace

TEST_CASE("a step's tree becomes a layer without being copied", "[layers]") {
  ScratchStore s;
  const std::string tree = sample_tree(s.store);
  const auto inode = lstat_at(AT_FDCWD, tree + "/bin/tool")->st_ino;
  const LayerIndex index = scan(tree);
  const LayerId id = s.store.layers.adopt(tree, entries_of(index));
  CHECK(s.store.layers.exists(id));
  CHECK(s.store.layers.has_tree(id));
  CHECK(lstat_at(AT_FDCWD, s.store.layers.tree(id) + "/bin/tool")->st_ino ==
        inode);
  CHECK_FALSE(lstat_at(AT_FDCWD, tree));
  CHECK(s.store.layers.list() == std::vector{id});
  CHECK(serialize(*s.store.layers.index(id)) == serialize(index));
  CHECK(s.store.layers.content_size(id) == index.total_size());
  s.store.layers.remove(id);
  CHECK_FALSE(s.store.layers.exists(id));
}

TEST_CASE("tree, index and tarball of a layer say the same", "[layers]") {
  ScratchStore from;
  ScratchStore to;
  const std::string tree = sample_tree(from.store);
  const LayerIndex index = scan(tree);
  const LayerId id = from.store.layers.adopt(tree, entries_of(index));
  for (const Compression compression :
       {Compression::none, Compression::gzip, Compression::zstd}) {
    const LayerBlob blob = from.store.layers.tarball(
        id, {.compression = compression, .force = true, .threads = 2});
    CHECK(blob.compression == compression);
    const Fd file = *from.store.blobs.open(blob.digest);
    to.store.blobs.put(read_all(file.get(), ""), blob.digest);
    const LayerId copy = to.store.layers.add_blob(blob.diff_id, blob.digest,
                                                  blob.size, compression);
    // From the tarball alone, then from the tree that it makes.
    CHECK(serialize(*to.store.layers.index(copy)) == serialize(index));
    CHECK(serialize(scan(to.store.layers.tree(copy))) == serialize(index));
    to.store.layers.remove(copy);
  }
}

TEST_CASE("user attributes stay in the tree and out of the tarball",
          "[layers]") {
  ScratchStore s;
  TempDir dir = s.store.temp_dir("tree-");
  const std::string file = dir.path() + "/f";
  write_file(file, "x");
  if (::setxattr(file.c_str(), "user.note", "v", 1, 0) != 0) {
    WARN("SKIPPED: no user xattrs here");
    return;
  }
  const LayerId id = s.store.layers.adopt(dir.path(), entries_of(scan(dir.path())));
  dir.keep();
  CHECK(s.store.layers.index(id)->find("f")->xattrs.contains("user.note"));
  const LayerBlob blob =
      s.store.layers.tarball(id, {.compression = Compression::none});
  const LayerId copy = s.store.layers.add_blob(blob.diff_id, blob.digest,
                                               blob.size, Compression::none);
  CHECK(s.store.layers.index(copy)->find("f")->xattrs.empty());
}

TEST_CASE("a tarball is bit-identical however often and wherever it is made",
          "[layers]") {
  Digest digests[2] = {sha256(""), sha256("")};
  for (Digest& digest : digests) {
    ScratchStore s;
    const std::string tree = sample_tree(s.store);
    LayerIndex index = scan(tree);
    for (IndexEntry& entry : index.entries) {  // as SOURCE_DATE_EPOCH does
      entry.mtime_seconds = 0;
      entry.mtime_nanoseconds = 0;
    }
    const LayerId id = s.store.layers.adopt(tree, entries_of(index));
    const unsigned threads = &digest == digests ? 1 : 4;
    digest = s.store.layers.tarball(id, {.threads = threads}).digest;
  }
  CHECK(digests[0] == digests[1]);
}

TEST_CASE("a tarball that exists is not made again", "[layers]") {
  ScratchStore s;
  const std::string tree = sample_tree(s.store);
  const LayerId id = s.store.layers.adopt(tree, entries_of(scan(tree)));
  CHECK_FALSE(s.store.layers.recorded_blob(id));
  CHECK_FALSE(s.store.layers.known_tarball(id, Compression::gzip));
  const LayerBlob first = s.store.layers.tarball(id, {});
  CHECK(s.store.layers.known_tarball(id, Compression::gzip)->digest ==
        first.digest);
  remove_tree(s.store.layers.tree(id) + "/bin");  // would be an error
  CHECK(s.store.layers.tarball(id, {}).digest == first.digest);
  CHECK(s.store.layers.tarball(id, {.compression = Compression::zstd}).digest ==
        first.digest);
  const LayerBlob zstd = s.store.layers.tarball(
      id, {.compression = Compression::zstd, .force = true});
  CHECK(zstd.compression == Compression::zstd);
  CHECK(zstd.diff_id == first.diff_id);
  s.store.blobs.remove(first.digest);
  CHECK_FALSE(s.store.layers.known_tarball(id, Compression::gzip));
  CHECK(s.store.layers.recorded_blob(id)->digest == zstd.digest);
  // From the zstd one: the tree is broken.
  CHECK(s.store.layers.tarball(id, {.force = true}).digest == first.digest);
}

TEST_CASE("a file that changed since its layer was made is noticed",
          "[layers]") {
  ScratchStore s;
  const std::string tree = sample_tree(s.store);
  const LayerId id = s.store.layers.adopt(tree, entries_of(scan(tree)));
  write_file(s.store.layers.tree(id) + "/bin/tool", std::string(300000, 'T'));
  CHECK_THROWS_WITH(s.store.layers.tarball(id, {}),
                    Catch::Contains("bin/alias is not what it was"));
  write_file(s.store.layers.tree(id) + "/bin/tool", "short");
  CHECK_THROWS_AS(s.store.layers.tarball(id, {}), Error);
  CHECK(s.store.blobs.list().empty());
}

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
  tar.tar.add(entry_of("d/gone", EntryType::character_device));
  IndexEntry block = entry_of("d/block", EntryType::block_device);
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
    IndexEntry entry = entry_of("e" + std::to_string(int(type)), type);
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
  IndexEntry dir = entry_of("d", EntryType::directory);
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

TEST_CASE("a damaged index is made anew", "[layers]") {
  ScratchStore s;
  TarFile tar;
  const LayerId id = load(s.store, tar.file("f", "x").take());
  s.store.layers.tree(id);
  write_file(s.store.layers.directory(id) + "/index", "junk");
  Store again(s.root);
  CHECK(again.layers.index(id)->find("f")->content == sha256("x"));
}

TEST_CASE("many threads may ask for one tree and its tarball", "[layers]") {
  ScratchStore s;
  TarFile tar;
  for (int i = 0; i < 200; ++i) tar.file("f" + std::to_string(i), "x");
  const LayerId id = load(s.store, tar.take());
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      const std::string tree = s.store.layers.tree(id);
      s.store.layers.tarball(id, {.force = true});
      good += content(tree + "/f199") == "x";
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 4);
}

TEST_CASE("owners, devices and capabilities are unpacked by root", "[layers]") {
  if (!root()) {
    WARN("SKIPPED: needs root");
    return;
  }
  ScratchStore s;
  TarFile tar;
  IndexEntry device = entry_of("null", EntryType::character_device, 0666);
  device.dev_major = 1;
  device.dev_minor = 3;
  device.uid = 5;
  tar.tar.add(device);
  IndexEntry file = entry_of("ping", EntryType::file, 06755);
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
