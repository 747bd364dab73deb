#include "store/image.h"

#include <catch2/catch.hpp>

#include "base/error.h"

using namespace cbuild;
using namespace cbuild::store;

namespace {

ImageConfig full_config() {
  ImageConfig image;
  image.created = "2023-11-14T22:13:20Z";
  image.author = "someone";
  image.platform = parse_platform("linux/arm/v6");
  image.config.user = "app";
  image.config.exposed_ports = {"80/tcp", "53/udp"};
  image.config.env = {"PATH=/bin", "X=", "PATH=/usr/bin"};
  image.config.entrypoint = {{"/bin/sh", "-c"}};
  image.config.cmd = std::vector<std::string>{};
  image.config.volumes = {"/data"};
  image.config.working_dir = "/srv";
  image.config.labels = {{"a", "1"}, {"b", "\"quoted\" \n"}};
  image.config.stop_signal = "SIGINT";
  image.config.healthcheck = Healthcheck{{"CMD", "true"}, 1, 2, 3, 4, 5};
  image.config.on_build = {"RUN x"};
  image.config.shell = {"/bin/bash", "-c"};
  image.config.args_escaped = true;
  image.diff_ids = {sha256("1"), sha256("2")};
  image.history = {{"2023-11-14T22:13:20Z", "ADD x", "me", "note", false},
                   {"", "ENV y", "", "", true}};
  return image;
}

}  // namespace

TEST_CASE("an image config is read back as it was written", "[image]") {
  const ImageConfig want = full_config();
  const ImageConfig got = parse_image_config(to_json(want));
  CHECK(to_json(got) == to_json(want));
  CHECK(got.config.env == want.config.env);
  CHECK(got.config.cmd == want.config.cmd);
  CHECK(got.config.healthcheck == want.config.healthcheck);
  CHECK(got.platform == want.platform);
  CHECK(got.history[1].empty_layer);
  CHECK(got.diff_ids == want.diff_ids);
}

TEST_CASE("null and absent are the same in a config", "[image]") {
  const ImageConfig image = parse_image_config(
      R"({"architecture":"amd64","os":"linux","config":{"Cmd":null,"Env":null,
          "Labels":null,"Healthcheck":null,"Volumes":null},
          "rootfs":{"diff_ids":null},"history":null,"unknown":[1,2]})");
  CHECK_FALSE(image.config.cmd);
  CHECK(image.config.env.empty());
  CHECK(image.diff_ids.empty());
}

TEST_CASE("a command set to nothing is not the same as no command", "[image]") {
  ImageConfig image = full_config();
  CHECK(parse_image_config(to_json(image)).config.cmd.has_value());
  image.config.cmd.reset();
  CHECK_FALSE(parse_image_config(to_json(image)).config.cmd);
}

TEST_CASE("a manifest of docker or OCI is read with its media type",
          "[image]") {
  const std::string descriptor =
      R"({"mediaType":"MT","size":3,"digest":")" + sha256("c").text() + "\"}";
  const auto text = [&](const std::string& type, const std::string& config) {
    std::string d = descriptor;
    d.replace(d.find("MT"), 2, config);
    return R"({"schemaVersion":2,)" + type + R"("config":)" + d +
           R"(,"layers":[)" + d + "]}";
  };
  CHECK(parse_manifest(text("", media::kDockerConfig)).media_type ==
        media::kDockerManifest);
  const Manifest oci = parse_manifest(text("", media::kOciConfig));
  CHECK(oci.media_type == media::kOciManifest);
  CHECK(oci.config.size == 3);
  CHECK(oci.layers.size() == 1);
  CHECK(to_json(parse_manifest(to_json(oci))) == to_json(oci));
}

TEST_CASE("an index keeps platforms and annotations", "[image]") {
  Index index{
      .media_type = media::kOciIndex, .manifests = {}, .annotations = {}};
  index.manifests.push_back({.media_type = media::kOciManifest,
                             .digest = sha256("m"),
                             .size = 9,
                             .platform = parse_platform("linux/arm64"),
                             .annotations = {{"k", "v"}},
                             .urls = {}});
  const Index got = parse_index(to_json(index));
  CHECK(to_json(got) == to_json(index));
  CHECK(got.manifests[0].platform->text() == "linux/arm64");
}

TEST_CASE("documents of another kind are refused", "[image]") {
  const char* bad[] = {
      "",
      "[]",
      "{",
      "null",
      "\"x\"",
      R"({"schemaVersion":1,"name":"old"})",
      R"({"schemaVersion":2})",
      R"({"config":{"digest":"sha256:zz","size":1}})",
      R"({"config":{"digest":5,"size":1}})",
  };
  for (const char* text : bad) {
    CHECK_THROWS_AS(parse_manifest(text), Error);
    CHECK_THROWS_AS(parse_index(text), Error);
  }
  CHECK_THROWS_AS(parse_image_config("[]"), Error);
  CHECK_THROWS_AS(parse_image_config(R"({"config":{"Env":"x"}})"), Error);
  CHECK_THROWS_AS(parse_image_config(R"({"config":{"Env":[1]}})"), Error);
  CHECK_THROWS_AS(parse_image_config(R"({"rootfs":{"diff_ids":["x"]}})"),
                  Error);
}

TEST_CASE("a layer's media type tells its compression", "[image]") {
  CHECK(compression_of(media::kOciLayer) == Compression::none);
  CHECK(compression_of(media::kDockerLayer) == Compression::none);
  CHECK(compression_of(media::kOciLayerGzip) == Compression::gzip);
  CHECK(compression_of(media::kDockerLayerGzip) == Compression::gzip);
  CHECK(compression_of(media::kOciLayerZstd) == Compression::zstd);
  CHECK(compression_of(
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip") ==
        Compression::gzip);
  CHECK_THROWS_AS(
      compression_of("application/vnd.oci.image.layer.v1.tar+gzip+encrypted"),
      Error);
  CHECK_THROWS_AS(compression_of("text/plain"), Error);
}
