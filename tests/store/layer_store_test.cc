#include "store/layer_store.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <catch2/catch.hpp>
#include <thread>

#include "base/error.h"
#include "layer_fixture.h"
#include "store/damage.h"

using namespace cbuild;
using namespace cbuild::store;

namespace {

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
  const LayerId id =
      s.store.layers.adopt(dir.path(), entries_of(scan(dir.path())));
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

TEST_CASE("a layer with a file that changed since is dropped, not packed",
          "[layers]") {
  ScratchStore s;
  const std::string tree = sample_tree(s.store);
  const LayerId id = s.store.layers.adopt(tree, entries_of(scan(tree)));
  SECTION("another content") {
    write_file(s.store.layers.tree(id) + "/bin/tool", std::string(300000, 'T'));
  }
  SECTION("another size") {
    write_file(s.store.layers.tree(id) + "/bin/tool", "short");
  }
  std::string said;
  const auto before =
      on_damage([&](const std::string& sentence) { said += sentence; });
  CHECK_THROWS_WITH(s.store.layers.tarball(id, {}),
                    Catch::Contains("the layer's file bin/alias"));
  on_damage(before);
  CHECK(said ==
        "layer " + id.substr(0, 12) + " is dropped: its step runs again");
  CHECK(s.store.blobs.list().empty());
  CHECK_FALSE(s.store.layers.exists(id));
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
