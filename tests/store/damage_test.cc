// Damaged parts of a store: said, dropped, made again.
#include "store/damage.h"

#include <catch2/catch.hpp>

#include "image_fixture.h"
#include "store/check_image.h"

using namespace cbuild;
using namespace cbuild::store;

namespace {

// The sentences that were said while it lives.
struct Said {
  std::vector<std::string> all;
  DamageHandler before =
      on_damage([this](const std::string& sentence) { all.push_back(sentence); });
  ~Said() { on_damage(before); }
  bool has(const std::string& word) const {
    for (const std::string& sentence : all)
      if (sentence.find(word) != std::string::npos) return true;
    return false;
  }
};

// Changes one byte in the middle.
void damage(const std::string& path) {
  std::string bytes = *read_file(path);
  REQUIRE_FALSE(bytes.empty());
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_file(path, bytes);
}

ImageStore::Name name(const std::string& familiar) {
  return {full_name(familiar), familiar};
}

}  // namespace

TEST_CASE("a damaged document is said and counts as absent", "[damage]") {
  ScratchStore s;
  const Said said;
  const Descriptor image = make_image(s.store, {step_layer(s.store, "a", "1")});
  const Digest config = s.store.images.load(image).manifest.config.digest;
  damage(s.store.blobs.path(config));
  CHECK_FALSE(s.store.images.try_load(image));
  CHECK(said.has("blob " + config.short_text()));
  CHECK_FALSE(s.store.blobs.size(config));
  CHECK_THROWS(s.store.images.load(image));
}

TEST_CASE("a document that is stored again is put right", "[damage]") {
  ScratchStore s;
  const Digest digest = s.store.blobs.put("{\"a\":1}");
  write_file(s.store.blobs.path(digest), std::string(7, '\0'));
  s.store.blobs.put("{\"a\":1}");
  CHECK(s.store.blobs.verify(digest));
}

TEST_CASE("a damaged tarball of a step's layer is made again", "[damage]") {
  ScratchStore s;
  const Said said;
  const LayerId layer = step_layer(s.store, "a", random_hex(5000));
  const LayerBlob blob = s.store.layers.tarball(layer, {});
  damage(s.store.blobs.path(blob.digest));
  const TarballOptions zstd{.compression = Compression::zstd, .force = true};
  CHECK(s.store.layers.tarball(layer, zstd).diff_id == blob.diff_id);
  CHECK(said.has("blob " + blob.digest.short_text()));
  CHECK_FALSE(s.store.blobs.size(blob.digest));
  const TarballOptions gzip{.compression = Compression::gzip, .force = true};
  CHECK(s.store.layers.tarball(layer, gzip).digest == blob.digest);
  CHECK(s.store.blobs.verify(blob.digest));
}

TEST_CASE("a damaged tarball of a pulled layer has to be fetched again",
          "[damage]") {
  ScratchStore s;
  const Said said;
  const LayerId made = step_layer(s.store, "a", random_hex(5000));
  const LayerBlob blob = s.store.layers.tarball(made, {});
  s.store.layers.remove(made);
  const LayerId pulled = s.store.layers.add_blob(blob.diff_id, blob.digest,
                                                 blob.size, blob.compression);
  const std::string bytes = *read_file(s.store.blobs.path(blob.digest));
  damage(s.store.blobs.path(blob.digest));
  CHECK_THROWS_AS(s.store.layers.tree(pulled), DamagedBlob);
  CHECK(said.has("is damaged"));
  CHECK_FALSE(s.store.layers.has_tree(pulled));
  BlobWriter again = s.store.blobs.writer();
  again.write(bytes);
  again.commit(blob.digest);
  CHECK(read_file(s.store.layers.tree(pulled) + "/a"));
}

TEST_CASE("a damaged index is made again from the tarball", "[damage]") {
  ScratchStore s;
  const Said said;
  const LayerId layer = step_layer(s.store, "a", "content");
  const std::string path = s.store.layers.directory(layer) + "/index";
  const std::string whole = *read_file(path);
  s.store.layers.tarball(layer, {});
  damage(path);
  Store fresh(s.root);
  CHECK(fresh.layers.index(layer)->find("a") != nullptr);
  CHECK(said.has("the index of layer " + layer.substr(0, 12)));
  CHECK(*read_file(path) == whole);
}

TEST_CASE("a layer with a damaged index and no tarball is dropped",
          "[damage]") {
  ScratchStore s;
  const Said said;
  const LayerId layer = step_layer(s.store, "a", "content");
  damage(s.store.layers.directory(layer) + "/index");
  Store fresh(s.root);
  CHECK_THROWS_WITH(fresh.layers.index(layer), Catch::Contains("build again"));
  CHECK(said.has("its step runs again"));
  CHECK_FALSE(fresh.layers.exists(layer));
}

TEST_CASE("a damaged index.json is put right from its copy", "[damage]") {
  for (const std::string& wreck :
       {std::string(), std::string("{\"mani"), std::string(300, '\0')}) {
    ScratchStore s;
    const Said said;
    const Descriptor image = make_image(s.store, {});
    s.store.images.tag({name("app:1"), name("app:2")}, image);
    write_file(s.root + "/index.json", wreck);
    CHECK(s.store.images.list().size() == 2);
    CHECK(said.has("index.json"));
    CHECK(s.store.images.find(full_name("app:2"))->digest == image.digest);
    CHECK(said.all.size() == 1);
    write_file(s.root + "/index.json", wreck);
    s.store.images.tag({name("app:3")}, image);
    CHECK(s.store.images.list().size() == 3);
    write_file(s.root + "/index.json", wreck);
    write_file(s.root + "/index.json.copy", wreck);
    CHECK_THROWS_WITH(s.store.images.list(), Catch::Contains("index.json"));
  }
}

TEST_CASE("a tree from before a power cut is unpacked again", "[damage]") {
  ScratchStore s;
  const Said said;
  const LayerId made = step_layer(s.store, "a", "content");
  const LayerBlob blob = s.store.layers.tarball(made, {});
  s.store.layers.remove(made);
  const LayerId id = s.store.layers.add_blob(blob.diff_id, blob.digest,
                                             blob.size, blob.compression);
  const std::string tree = s.store.layers.tree(id);
  write_file(tree + "/a", "");  // torn
  const std::string path = s.store.layers.directory(id) + "/meta";
  std::string meta = *read_file(path);
  const std::string boot = Birth::now().boot;
  meta.replace(meta.find(boot), boot.size(), "before");
  write_file(path, meta);
  Store after(s.root);
  CHECK_FALSE(after.layers.has_tree(id));
  CHECK(*read_file(after.layers.tree(id) + "/a") == "content");
  CHECK(said.has("unpacked again"));
  CHECK(after.layers.has_tree(id));
}

TEST_CASE("a layer that a step made is found by its diffID", "[layers]") {
  ScratchStore s;
  const LayerId layer = step_layer(s.store, "a", "content");
  const Digest diff_id = s.store.layers.tarball(layer, {}).diff_id;
  CHECK(s.store.layers.id_of(diff_id) == layer);
  CHECK(s.store.layers.list() == std::vector{layer});
  // Where a kill left a link that leads nowhere, it is put right.
  const std::string link = s.root + "/diffs/" + diff_id.hex();
  REQUIRE(::unlink(link.c_str()) == 0);
  REQUIRE(::symlink("00", link.c_str()) == 0);
  CHECK(s.store.layers.id_of(diff_id) == diff_id.hex());
  REQUIRE(::unlink((s.store.layers.directory(layer) + "/meta").c_str()) == 0);
  CHECK(s.store.layers.tarball(layer, {}).diff_id == diff_id);
  CHECK(s.store.layers.id_of(diff_id) == layer);
  s.store.layers.remove(layer);
  CHECK(s.store.layers.id_of(diff_id) == diff_id.hex());
  CHECK_FALSE(lstat_at(AT_FDCWD, link));
}
