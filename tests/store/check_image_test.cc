#include "store/check_image.h"

#include <catch2/catch.hpp>
#include <functional>

#include "image_fixture.h"

using namespace cbuild;
using namespace cbuild::store;

namespace {

// An image of one layer whose tarball is `tar`.
Descriptor image_of(Store& store, const std::string& tar,
                    const Digest& diff_id) {
  ImageConfig config;
  config.platform = host_platform();
  config.diff_ids = {diff_id};
  const std::string text = to_json(config);
  const Manifest manifest{
      .media_type = media::kOciManifest,
      .config =
          descriptor(media::kOciConfig, store.blobs.put(text), text.size()),
      .layers = {descriptor(media::kOciLayer, store.blobs.put(tar),
                            tar.size())},
      .annotations = {}};
  const std::string json = to_json(manifest);
  return descriptor(media::kOciManifest, store.blobs.put(json), json.size());
}

std::string tar_of_paths(const std::vector<std::string>& paths) {
  std::string bytes;
  TarWriter tar([&](std::string_view data) { bytes += data; });
  for (std::string path : paths) {
    IndexEntry entry;
    const bool directory = path.ends_with('/');
    if (directory) path.pop_back();
    entry.path = path;
    entry.type = directory ? EntryType::directory : EntryType::file;
    tar.add(entry);
  }
  tar.finish();
  return bytes;
}

}  // namespace

TEST_CASE("a sound image has no problems", "[check]") {
  ScratchStore s;
  const Descriptor image = make_image(
      s.store, {step_layer(s.store, "a", "1"), step_layer(s.store, "b", "2")});
  CHECK(check_image(s.store, image, {.trees = true}).empty());
  const std::string tar = tar_of_paths({"d/", "d/f", "e/implied"});
  const Descriptor pulled = image_of(s.store, tar, sha256(tar));
  const LayerId id = s.store.layers.add_blob(sha256(tar), sha256(tar),
                                             tar.size(), Compression::none);
  s.store.layers.tree(id);
  CHECK(check_image(s.store, pulled, {.trees = true}).empty());
}

TEST_CASE("each way in which an image can be wrong is told", "[check]") {
  struct Case {
    const char* want;
    std::function<void(Store&, const Image&)> damage;
  };
  const auto layer = [](const Image& image) {
    return image.manifest.layers[0].digest;
  };
  const Case cases[] = {
      {"is absent",
       [&](Store& s, const Image& i) { s.blobs.remove(layer(i)); }},
      {"has another digest",
       [&](Store& s, const Image& i) {
         const Fd blob = open_path(s.blobs.path(layer(i)), O_WRONLY | O_APPEND);
         write_all(blob.get(), std::string(512, '\0'), "");
       }},
      {"is damaged",
       [&](Store& s, const Image& i) {
         const Fd blob = open_path(s.blobs.path(layer(i)), O_WRONLY);
         REQUIRE(::lseek(blob.get(), 20, SEEK_SET) == 20);
         write_all(blob.get(), "xxxxxxxxxxxxxxxxxxx", "");
       }},
      {"config sha256:",
       [](Store& s, const Image& i) {
         s.blobs.remove(i.manifest.config.digest);
       }},
      {"manifest sha256:",
       [](Store& s, const Image& i) { s.blobs.remove(i.descriptor.digest); }},
  };
  for (const Case& c : cases) {
    ScratchStore s;
    const Descriptor image =
        make_image(s.store, {step_layer(s.store, "a", "1")});
    c.damage(s.store, s.store.images.load(image));
    const auto problems = check_image(s.store, image);
    REQUIRE_FALSE(problems.empty());
    CHECK_THAT(problems[0], Catch::Contains(c.want));
  }
}

TEST_CASE("a tarball in a wrong order is told", "[check]") {
  struct Case {
    std::vector<std::string> paths;
    const char* want;
  };
  const Case cases[] = {
      {{"d/f", "d/"}, "has d/f before its directory"},
      {{"d/", "f", "d/"}, "has d twice"},
      {{"f", "./f"}, "has f twice"},
  };
  for (const Case& c : cases) {
    ScratchStore s;
    const std::string tar = tar_of_paths(c.paths);
    const auto problems =
        check_image(s.store, image_of(s.store, tar, sha256(tar)));
    REQUIRE(problems.size() == 1);
    CHECK_THAT(problems[0], Catch::Contains(c.want));
  }
}

TEST_CASE("a diffID that is not the layer's is told", "[check]") {
  ScratchStore s;
  const std::string tar = tar_of_paths({"f"});
  const auto problems =
      check_image(s.store, image_of(s.store, tar, sha256("other")));
  REQUIRE(problems.size() == 1);
  CHECK_THAT(problems[0], Catch::Contains("the config says"));
}

TEST_CASE("a tree or an index that is not the tarball's is told", "[check]") {
  ScratchStore s;
  const std::string tar = tar_of("f", "content");
  const Descriptor image = image_of(s.store, tar, sha256(tar));
  const LayerId id = s.store.layers.add_blob(sha256(tar), sha256(tar),
                                             tar.size(), Compression::none);
  write_file(s.store.layers.tree(id) + "/f", "changed");
  CHECK(check_image(s.store, image).empty());
  REQUIRE(check_image(s.store, image, {.trees = true}).size() == 1);
  write_file(s.store.layers.directory(id) + "/index", serialize({}));
  CHECK(check_image(s.store, image).size() == 1);
}
