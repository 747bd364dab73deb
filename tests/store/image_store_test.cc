#include "store/image_store.h"

#include <catch2/catch.hpp>
#include <thread>

#include "scratch.h"

using namespace cbuild;
using namespace cbuild::store;

namespace {

Descriptor manifest_named(const std::string& seed) {
  return {.media_type = media::kOciManifest,
          .digest = sha256(seed),
          .size = 1,
          .platform = {},
          .annotations = {},
          .urls = {}};
}

ImageStore::Name name(const std::string& familiar) {
  return {full_name(familiar), familiar};
}

// An image without layers, stored.
Descriptor put_image(BlobStore& blobs, const std::string& author,
                     const char* platform = "linux/amd64") {
  ImageConfig config;
  config.author = author;
  config.platform = parse_platform(platform);
  const std::string text = to_json(config);
  Manifest manifest{.media_type = media::kOciManifest,
                    .config = {.media_type = media::kOciConfig,
                               .digest = blobs.put(text),
                               .size = text.size(),
                               .platform = {},
                               .annotations = {},
                               .urls = {}},
                    .layers = {},
                    .annotations = {}};
  const std::string json = to_json(manifest);
  return {.media_type = media::kOciManifest,
          .digest = blobs.put(json),
          .size = json.size(),
          .platform = config.platform,
          .annotations = {},
          .urls = {}};
}

}  // namespace

TEST_CASE("a tag is found by its full name", "[images]") {
  ScratchStore s;
  CHECK(s.store.images.list().empty());
  CHECK_FALSE(s.store.images.find("docker.io/library/app:1"));
  s.store.images.tag({name("app:1"), name("localhost:5000/app:1")},
                     manifest_named("a"));
  CHECK(s.store.images.find("docker.io/library/app:1")->digest == sha256("a"));
  CHECK(s.store.images.find("localhost:5000/app:1")->digest == sha256("a"));
  const auto list = s.store.images.list();
  REQUIRE(list.size() == 2);
  CHECK(list[0].familiar == "app:1");
  CHECK(list[0].manifest.annotations.empty());
}

TEST_CASE("an image that loses its last name stays as a dangling one",
          "[images]") {
  ScratchStore s;
  ImageStore& images = s.store.images;
  images.tag({name("app:1"), name("app:2")}, manifest_named("a"));
  images.tag({name("app:1")}, manifest_named("b"));
  CHECK(images.list().size() == 2);  // a still has app:2
  images.tag({name("app:2")}, manifest_named("b"));
  REQUIRE(images.list().size() == 3);
  CHECK(images.list()[0].name.empty());
  CHECK(images.list()[0].manifest.digest == sha256("a"));
  images.tag({name("back:1")}, manifest_named("a"));
  CHECK(images.list().size() == 3);  // it is no longer dangling
  CHECK(images.untag(name("back:1").full));
  CHECK_FALSE(images.untag(name("back:1").full));
  images.remove(sha256("a"));
  CHECK(images.list().size() == 2);
}

TEST_CASE("an image without a name is remembered once", "[images]") {
  ScratchStore s;
  s.store.images.tag({}, manifest_named("a"));
  s.store.images.tag({}, manifest_named("a"));
  CHECK(s.store.images.list().size() == 1);
}

TEST_CASE("tagging what is tagged already writes nothing", "[images]") {
  ScratchStore s;
  s.store.images.tag({name("app:1")}, manifest_named("a"));
  const auto before = lstat_at(AT_FDCWD, s.root + "/index.json");
  s.store.images.tag({name("app:1")}, manifest_named("a"));
  CHECK(lstat_at(AT_FDCWD, s.root + "/index.json")->st_ino == before->st_ino);
}

TEST_CASE("concurrent tags are all kept", "[images]") {
  ScratchStore s;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i)
        s.store.images.tag({name("app:" + std::to_string(t * 10 + i))},
                           manifest_named("a"));
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(s.store.images.list().size() == 40);
}

TEST_CASE("an image is found by the start of its id", "[images]") {
  ScratchStore s;
  const Descriptor a = put_image(s.store.blobs, "a");
  const Descriptor b = put_image(s.store.blobs, "b");
  s.store.images.tag({name("a:1"), name("a:2")}, a);
  s.store.images.tag({}, b);
  const Image image = s.store.images.load(a);
  const std::string id = image.manifest.config.digest.hex();
  CHECK(s.store.images.find_by_id(id.substr(0, 12))->digest == a.digest);
  CHECK(s.store.images.find_by_id("sha256:" + id)->digest == a.digest);
  CHECK(s.store.images.find_by_id(b.digest.hex())->digest == b.digest);
  CHECK_FALSE(s.store.images.find_by_id(id.substr(0, 3)));  // too short
  CHECK_FALSE(s.store.images.find_by_id("nohexdigits"));
  CHECK_FALSE(s.store.images.find_by_id(std::string(64, '0')));
}

TEST_CASE("an index leads to the image of the platform", "[images]") {
  ScratchStore s;
  Index index{
      .media_type = media::kOciIndex, .manifests = {}, .annotations = {}};
  index.manifests.push_back(put_image(s.store.blobs, "amd", "linux/amd64"));
  index.manifests.push_back(put_image(s.store.blobs, "arm", "linux/arm/v7"));
  index.manifests.push_back(manifest_named("attestation"));
  index.manifests.back().platform = Platform{"unknown", "unknown", "", "", {}};
  const std::string json = to_json(index);
  const Descriptor top = {.media_type = media::kOciIndex,
                          .digest = s.store.blobs.put(json),
                          .size = json.size(),
                          .platform = {},
                          .annotations = {},
                          .urls = {}};
  CHECK(s.store.images.load(top, parse_platform("linux/arm64")).config.author ==
        "arm");
  CHECK(s.store.images.load(top, parse_platform("linux/amd64")).config.author ==
        "amd");
  CHECK_THROWS_WITH(
      s.store.images.load(top, parse_platform("linux/s390x")),
      Catch::Contains("no linux/s390x, only linux/amd64, linux/arm/v7"));
}

TEST_CASE("a missing or damaged document is named", "[images]") {
  ScratchStore s;
  CHECK_THROWS_WITH(s.store.images.load(manifest_named("x")),
                    Catch::Contains("image manifest sha256:"));
  const Descriptor a = put_image(s.store.blobs, "a");
  const Image image = s.store.images.load(a);
  write_file(s.store.blobs.path(image.manifest.config.digest), "{}");
  CHECK_THROWS_WITH(s.store.images.load(a),
                    Catch::Contains("image config sha256:"));
}

TEST_CASE("what a remote name resolved to is remembered by platform",
          "[images]") {
  ScratchStore s;
  ImageStore& images = s.store.images;
  const Platform amd = parse_platform("linux/amd64");
  images.remember("docker.io/library/x:1", amd, manifest_named("a"));
  CHECK(images.recall("docker.io/library/x:1", amd)->digest == sha256("a"));
  CHECK_FALSE(images.recall("docker.io/library/x:1", parse_platform("arm64")));
  images.remember("docker.io/library/x:1", amd, manifest_named("b"));
  CHECK(images.recall("docker.io/library/x:1", amd)->digest == sha256("b"));
  CHECK(images.remembered().size() == 1);
  CHECK(images.forget_older(0) == 0);
  CHECK(images.forget_older(std::int64_t{1} << 40) == 1);
  CHECK_FALSE(images.recall("docker.io/library/x:1", amd));
}

TEST_CASE("a damaged reference counts as forgotten", "[images]") {
  ScratchStore s;
  const Platform amd = parse_platform("linux/amd64");
  s.store.images.remember("x", amd, manifest_named("a"));
  const Fd refs = open_path(s.root + "/refs", O_RDONLY | O_DIRECTORY);
  write_file(s.root + "/refs/" + list_dir(refs.get())[0], "{\"manif");
  CHECK_FALSE(s.store.images.recall("x", amd));
}

TEST_CASE("familiar names have one full form", "[images]") {
  CHECK(full_name("app:1") == "docker.io/library/app:1");
  CHECK(full_name("app") == "docker.io/library/app:latest");
  CHECK(full_name("me/app:1") == "docker.io/me/app:1");
  CHECK(full_name("localhost/app:1") == "localhost/app:1");
  CHECK(full_name("host:5000/app") == "host:5000/app:latest");
}

TEST_CASE("other programs read the store's images by their familiar name",
          "[images]") {
  if (!have_tool("skopeo")) {
    WARN("SKIPPED: no skopeo");
    return;
  }
  ScratchStore s;
  const Descriptor a = put_image(s.store.blobs, "judge");
  for (const char* familiar : {"app:1", "localhost:5000/team/app:v1.2"}) {
    s.store.images.tag({name(familiar)}, a);
    int code = -1;
    const std::string out = run(
        "skopeo inspect --config 'oci:" + s.root + ":" + familiar + "'", &code);
    INFO(out);
    CHECK(code == 0);
    CHECK_THAT(out, Catch::Contains("judge"));
  }
}
