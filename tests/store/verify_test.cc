#include "store/verify.h"

#include <catch2/catch.hpp>

#include "image_fixture.h"

using namespace cbuild;
using namespace cbuild::store;

namespace {

// A store with an image of one layer that a step made, and the step's record.
struct Built : ScratchStore {
  LayerId layer = step_layer(store, "a", std::string(5000, 'x'));
  Descriptor image = make_image(store, {layer});
  LayerBlob blob = *store.layers.recorded_blob(layer);
  Digest key = key_of({{"a", "b"}});

  Built() {
    store.images.tag({{full_name("app:1"), "app:1"}}, image);
    store.steps.put({.key = key, .title = "RUN x", .layers = {layer}});
  }

  std::string directory() const { return store.layers.directory(layer); }
};

void spoil(const std::string& path) {
  std::string bytes = *read_file(path);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_file(path, bytes);
}

// What a fresh process finds.
VerifyReport look(const std::string& root, bool repair = false) {
  Store store(root);
  return verify(store, {.repair = repair, .threads = 2});
}

}  // namespace

TEST_CASE("a sound store has no problems", "[verify]") {
  Built s;
  const VerifyReport report = look(s.root);
  CHECK(report.sound());
  CHECK(report.blobs == 3);
  CHECK(report.layers == 1);
  CHECK(report.records == 1);
  CHECK(report.names == 1);
  CHECK(report.bytes > 5000);
}

TEST_CASE("every kind of damage is found, repaired, and the image stays",
          "[verify]") {
  Built s;
  using Kind = Problem::Kind;
  Kind kind = Kind::blob;
  bool record_stays = true;
  SECTION("a tarball") { spoil(s.store.blobs.path(s.blob.digest)); }
  SECTION("an index") {
    kind = Kind::layer;
    spoil(s.directory() + "/index");
  }
  SECTION("content in a tree") {
    kind = Kind::layer;
    record_stays = false;
    spoil(s.directory() + "/tree/a");
  }
  SECTION("a file missing from a tree") {
    kind = Kind::layer;
    record_stays = false;
    remove_tree(s.directory() + "/tree/a");
  }
  SECTION("a mode in a tree") {
    kind = Kind::layer;
    record_stays = false;
    REQUIRE(::chmod((s.directory() + "/tree/a").c_str(), 0600) == 0);
  }
  SECTION("a step record") {
    kind = Kind::record;
    record_stays = false;
    spoil(s.root + "/steps/" + s.key.hex());
  }
  SECTION("a layer that is gone") {
    kind = Kind::record;
    record_stays = false;
    s.store.layers.remove(s.layer);
  }
  SECTION("index.json") {
    kind = Kind::name;
    write_file(s.root + "/index.json", "");
  }
  SECTION("a reference") {
    kind = Kind::reference;
    write_file(s.root + "/refs/00", "{");
  }
  const VerifyReport report = look(s.root, true);
  REQUIRE_FALSE(report.sound());
  CHECK(std::any_of(report.problems.begin(), report.problems.end(),
                    [&](const Problem& p) { return p.kind == kind; }));
  for (const Problem& problem : report.problems)
    CHECK_FALSE(problem.repair.empty());
  CHECK(look(s.root).sound());
  Store after(s.root);
  CHECK(after.images.find(full_name("app:1")).has_value());
  CHECK(after.blobs.verify(s.blob.digest));
  CHECK(after.steps.find(s.key).has_value() == record_stays);
}

TEST_CASE("an image that cannot be saved loses its name", "[verify]") {
  Built s;
  s.store.layers.remove(s.layer);
  spoil(s.store.blobs.path(s.blob.digest));
  CHECK(look(s.root, true).problems.size() == 3);  // blob, record, name
  CHECK(look(s.root).sound());
  CHECK_FALSE(Store(s.root).images.find(full_name("app:1")));
}

TEST_CASE("looking changes nothing, and repairing needs the store",
          "[verify]") {
  Built s;
  spoil(s.directory() + "/tree/a");
  CHECK(look(s.root).problems.size() == 1);
  CHECK(look(s.root).problems.front().repair.empty());
  {
    const Lease lease = s.store.lease();
    const VerifyReport report = look(s.root, true);
    CHECK(report.busy);
    CHECK(report.problems.size() == 1);
    CHECK_FALSE(look(s.root).busy);
  }
  CHECK_FALSE(look(s.root, true).busy);
  const Lease lease = s.store.lease();
  CHECK(look(s.root, true).sound());
  CHECK_FALSE(look(s.root, true).busy);  // nothing is to be repaired
}
