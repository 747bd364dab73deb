#include "store/archive.h"

#include <catch2/catch.hpp>
#include <functional>
#include <set>
#include <thread>

#include "base/error.h"
#include "image_fixture.h"
#include "store/compress.h"

using namespace cbuild;
using namespace cbuild::store;

namespace {

ImageStore::Name as_is(const std::string& name) {
  return {full_name(name), name};
}

std::vector<LoadedImage> load(Store& store, const std::string& archive) {
  Scratch scratch;
  write_file(scratch.dir.path() + "/a", archive);
  const Fd file = open_path(scratch.dir.path() + "/a", O_RDONLY);
  return load_archive(store, file.get(), as_is);
}

std::string save(Store& store, const std::vector<SavedImage>& images,
                 ArchiveFormat format) {
  Scratch scratch;
  const std::string path = scratch.dir.path() + "/a";
  const Fd file = open_path(path, O_RDWR | O_CREAT, 0600);
  save_archive(store, images, format, file.get());
  return *read_file(path);
}

struct Archive {
  std::string bytes;
  TarWriter tar{[this](std::string_view data) { bytes += data; }};

  void file(const std::string& name, const std::string& content) {
    IndexEntry entry;
    entry.path = name;
    entry.size = content.size();
    tar.add(entry);
    tar.write(content);
  }
  void link(const std::string& name, const std::string& target,
            EntryType type) {
    IndexEntry entry;
    entry.path = name;
    entry.type = type;
    entry.target = target;
    tar.add(entry);
  }
  std::string take() {
    tar.finish();
    return bytes;
  }
};

std::string gzip(const std::string& data) {
  std::string out;
  Compressor c([&](std::string_view d) { out += d; }, Compression::gzip, true,
               1);
  c.write(data);
  c.finish();
  return out;
}

std::string config_of(const std::vector<std::string>& layers) {
  ImageConfig config;
  config.platform = host_platform();
  for (const std::string& layer : layers)
    config.diff_ids.push_back(sha256(layer));
  return to_json(config);
}

bool nothing_in(Store& store) {
  return store.blobs.list().empty() && store.layers.list().empty();
}

const std::string kLayer = tar_of("etc/one", "1");
const std::string kOther = tar_of("two", "2");

}  // namespace

TEST_CASE("an image that is saved and loaded is the same image", "[archive]") {
  for (const ArchiveFormat format :
       {ArchiveFormat::docker, ArchiveFormat::oci}) {
    ScratchStore from;
    ScratchStore to;
    const Descriptor image = make_image(
        from.store,
        {step_layer(from.store, "a", "1"), step_layer(from.store, "b", "2")});
    const std::string archive = save(
        from.store,
        {{from.store.images.load(image), {"app:1", "host:5/app:2"}}}, format);
    std::set<std::string> names;
    for (const LoadedImage& loaded : load(to.store, archive)) {
      CHECK(loaded.manifest.digest == image.digest);
      for (const ImageStore::Name& name : loaded.names) names.insert(name.full);
    }
    CHECK(names ==
          std::set<std::string>{"docker.io/library/app:1", "host:5/app:2"});
    const Image copy = to.store.images.load(image);
    CHECK(copy.config.diff_ids.size() == 2);
    for (const Digest& id : copy.config.diff_ids)
      CHECK(to.store.layers.index(id.hex())->entries.size() == 1);
    // The same image always gives the same archive.
    CHECK(save(to.store, {{copy, {"app:1", "host:5/app:2"}}}, format) ==
          archive);
  }
}

TEST_CASE("docker's old archives are loaded: one folder a layer, or a link",
          "[archive]") {
  ScratchStore s;
  const std::string config = config_of({kLayer, kOther, kLayer});
  Archive archive;
  archive.file("aaa/layer.tar", kLayer);
  archive.file("aaa/VERSION", "1.0");
  archive.file("bbb/layer.tar", gzip(kOther));
  archive.link("ccc/layer.tar", "../aaa/layer.tar", EntryType::symlink);
  archive.file(sha256(config).hex() + ".json", config);
  archive.file("repositories", "{}");
  archive.file("manifest.json",
               R"([{"Config":")" + sha256(config).hex() +
                   R"(.json","RepoTags":["busybox:latest","b:2"],"Layers":)"
                   R"(["aaa/layer.tar","bbb/layer.tar","ccc/layer.tar"]}])");
  const auto images = load(s.store, archive.take());
  REQUIRE(images.size() == 1);
  CHECK(images[0].names.size() == 2);
  const Image image = s.store.images.load(images[0].manifest);
  CHECK(image.manifest.config.digest == sha256(config));
  // A plain tarball is kept as it is.
  CHECK(image.manifest.layers[0].digest == sha256(kLayer));
  CHECK(image.manifest.layers[0].media_type == media::kOciLayer);
  CHECK(image.manifest.layers[1].media_type == media::kOciLayerGzip);
  CHECK(read_file(s.store.layers.tree(sha256(kLayer).hex()) + "/etc/one") ==
        "1");
  CHECK(s.store.layers.index(sha256(kOther).hex())->find("two"));
}

TEST_CASE("an archive may be compressed, and come through a pipe",
          "[archive]") {
  ScratchStore s;
  const std::string config = config_of({kLayer});
  Archive archive;
  archive.file("manifest.json",
               R"([{"Config":"c.json","RepoTags":null,"Layers":["l.tar"]}])");
  archive.file("c.json", config);
  archive.link("l.tar", "real.tar", EntryType::symlink);
  archive.file("real.tar", kLayer);
  const std::string packed = gzip(archive.take());
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  std::thread feeder([&] {
    write_all(ends[1], packed, "pipe");
    ::close(ends[1]);
  });
  const auto images = load_archive(s.store, ends[0], as_is);
  feeder.join();
  ::close(ends[0]);
  REQUIRE(images.size() == 1);
  CHECK(images[0].names.empty());
  CHECK(s.store.images.load(images[0].manifest).config.diff_ids.size() == 1);
}

TEST_CASE("of an index with images missing the best one here is loaded",
          "[archive]") {
  ScratchStore from;
  const Descriptor here =
      make_image(from.store, {step_layer(from.store, "a", "1")});
  Descriptor absent = here;
  absent.digest = sha256("absent");
  absent.platform = parse_platform("linux/s390x");
  Index nested{.media_type = media::kOciIndex,
               .manifests = {absent, here},
               .annotations = {}};
  for (const bool complete : {false, true}) {
    if (complete) nested.manifests = {here};
    const std::string nested_text = to_json(nested);
    Descriptor top =
        descriptor(media::kOciIndex, sha256(nested_text), nested_text.size());
    top.annotations = {{"org.opencontainers.image.ref.name", "app:1"}};
    const Index index{
        .media_type = media::kOciIndex, .manifests = {top}, .annotations = {}};
    Archive archive;
    archive.file("oci-layout", "{}");
    archive.file("index.json", to_json(index));
    archive.file("blobs/sha256/" + sha256(nested_text).hex(), nested_text);
    const Image image = from.store.images.load(here);
    for (const Digest& digest : {here.digest, image.manifest.config.digest,
                                 image.manifest.layers[0].digest})
      archive.file("blobs/sha256/" + digest.hex(),
                   read_all(from.store.blobs.open(digest)->get(), ""));
    ScratchStore to;
    const auto images = load(to.store, archive.take());
    REQUIRE(images.size() == 1);
    CHECK(images[0].names[0].full == "docker.io/library/app:1");
    CHECK(images[0].manifest.digest == (complete ? top.digest : here.digest));
    CHECK(to.store.images.load(images[0].manifest).descriptor.digest ==
          here.digest);
  }
}

TEST_CASE("an archive that is not what it says leaves nothing", "[archive]") {
  const std::string config = config_of({kLayer});
  const std::string name = sha256(config).hex() + ".json";
  const auto manifest = [](const std::string& config_name,
                           const std::string& layers) {
    return R"([{"Config":")" + config_name +
           R"(","RepoTags":["a:1"],"Layers":[)" + layers + "]}]";
  };
  struct Case {
    const char* why;
    std::function<void(Archive&)> fill;
  };
  const Case cases[] = {
      {"another layer than the config promises",
       [&](Archive& a) {
         a.file("l.tar", kOther);
         a.file(name, config);
         a.file("manifest.json", manifest(name, "\"l.tar\""));
       }},
      {"another layer, compressed",
       [&](Archive& a) {
         a.file("l.tar", gzip(kOther));
         a.file(name, config);
         a.file("manifest.json", manifest(name, "\"l.tar\""));
       }},
      {"a layer too few",
       [&](Archive& a) {
         a.file(name, config);
         a.file("manifest.json", manifest(name, ""));
       }},
      {"a layer that is not there",
       [&](Archive& a) {
         a.file(name, config);
         a.file("manifest.json", manifest(name, "\"l.tar\""));
       }},
      {"another config than its name says",
       [&](Archive& a) {
         a.file("l.tar", kLayer);
         a.file(sha256("x").hex() + ".json", config);
         a.file("manifest.json",
                manifest(sha256("x").hex() + ".json", "\"l.tar\""));
       }},
      {"a blob under another name",
       [&](Archive& a) {
         a.file("blobs/sha256/" + sha256("x").hex(), "y");
         a.file("index.json", R"({"schemaVersion":2,"manifests":[]})");
       }},
      {"links in a circle",
       [&](Archive& a) {
         a.file(name, config);
         a.link("l.tar", "m.tar", EntryType::symlink);
         a.link("m.tar", "l.tar", EntryType::symlink);
         a.file("manifest.json", manifest(name, "\"l.tar\""));
       }},
      {"no JSON", [&](Archive& a) { a.file("manifest.json", "[{"); }},
      {"no image at all", [&](Archive& a) { a.file("etc/passwd", "root"); }},
  };
  for (const Case& c : cases) {
    INFO(c.why);
    ScratchStore s;
    Archive archive;
    c.fill(archive);
    CHECK_THROWS_AS(load(s.store, archive.take()), Error);
    CHECK(nothing_in(s.store));
  }
  ScratchStore s;
  CHECK_THROWS_AS(load(s.store, std::string(3000, 'x')), Error);
  CHECK_THROWS_AS(load(s.store, ""), Error);
  CHECK(nothing_in(s.store));
}

TEST_CASE("what cannot be saved whole is not saved", "[archive]") {
  ScratchStore s;
  const Descriptor image = make_image(s.store, {step_layer(s.store, "a", "1")});
  const Image loaded = s.store.images.load(image);
  const Digest layer = loaded.manifest.layers[0].digest;
  write_file(s.store.blobs.path(layer), "damaged");
  CHECK_THROWS_AS(save(s.store, {{loaded, {"a:1"}}}, ArchiveFormat::docker),
                  DigestMismatch);
  s.store.blobs.remove(layer);
  CHECK_THROWS_WITH(save(s.store, {{loaded, {"a:1"}}}, ArchiveFormat::docker),
                    Catch::Contains("pull the image again"));
}

TEST_CASE("skopeo reads what is saved, and its archives are loaded",
          "[archive]") {
  if (!have_tool("skopeo")) {
    WARN("SKIPPED: no skopeo");
    return;
  }
  ScratchStore s;
  const std::string dir = s.dir.path();
  const Descriptor image = make_image(
      s.store, {step_layer(s.store, "a", "1"), step_layer(s.store, "b", "2")});
  const Image loaded = s.store.images.load(image);
  const auto skopeo = [&](const std::string& from, const std::string& to) {
    int code = -1;
    const std::string out =
        run("skopeo --insecure-policy copy " + from + " " + to, &code);
    INFO(out);
    CHECK(code == 0);
  };
  write_file(dir + "/docker.tar",
             save(s.store, {{loaded, {"app:1"}}}, ArchiveFormat::docker));
  write_file(dir + "/oci.tar",
             save(s.store, {{loaded, {"app:1"}}}, ArchiveFormat::oci));
  skopeo("docker-archive:" + dir + "/docker.tar:app:1",
         "docker-archive:" + dir + "/docker2.tar:back:1");
  skopeo("oci-archive:" + dir + "/oci.tar",
         "oci-archive:" + dir + "/oci2.tar:back:1");
  s.store.images.tag({{full_name("app:1"), "app:1"}}, image);
  skopeo("oci:" + s.root + ":app:1", "oci:" + dir + "/layout:app:1");
  for (const char* name : {"/docker2.tar", "/oci2.tar"}) {
    ScratchStore to;
    const auto images = load(to.store, *read_file(dir + name));
    REQUIRE(images.size() == 1);
    REQUIRE(images[0].names.size() == 1);
    CHECK(images[0].names[0].full == "docker.io/library/back:1");
    CHECK(to.store.images.load(images[0].manifest).config.diff_ids ==
          loaded.config.diff_ids);
  }
}

TEST_CASE("umoci unpacks an image of the store in place", "[archive]") {
  if (!have_tool("umoci") || ::geteuid() != 0) {
    WARN("SKIPPED: needs umoci and root");
    return;
  }
  ScratchStore s;
  const Descriptor image = make_image(
      s.store, {step_layer(s.store, "a", "1"), step_layer(s.store, "b", "2")});
  s.store.images.tag({{full_name("app:1"), "app"}}, image);
  int code = -1;
  const std::string out =
      run("umoci unpack --image " + s.root + ":app " + s.dir.path() + "/bundle",
          &code);
  INFO(out);
  CHECK(code == 0);
  CHECK(read_file(s.dir.path() + "/bundle/rootfs/a") == "1");
  CHECK(read_file(s.dir.path() + "/bundle/rootfs/b") == "2");
}
