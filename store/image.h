// The JSON documents of an image: manifest, index and config.
//
// Sources: OCI image-spec v1.1 (manifest.md, image-index.md, config.md,
// descriptor.md); Docker image manifest v2 schema 2; docker's config fields
// that OCI lists as reserved (Healthcheck, OnBuild, Shell, ArgsEscaped) are
// kept whatever the format. Reading accepts both families; writing takes the
// media types given. `parse_*` throws Error on what is not such a document;
// unknown fields are ignored, null and absent are the same.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "store/digest.h"
#include "store/platform.h"

namespace cbuild::store {

namespace media {
inline constexpr const char* kOciManifest =
    "application/vnd.oci.image.manifest.v1+json";
inline constexpr const char* kOciIndex =
    "application/vnd.oci.image.index.v1+json";
inline constexpr const char* kOciConfig =
    "application/vnd.oci.image.config.v1+json";
inline constexpr const char* kOciLayer =
    "application/vnd.oci.image.layer.v1.tar";
inline constexpr const char* kOciLayerGzip =
    "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr const char* kOciLayerZstd =
    "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr const char* kDockerManifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr const char* kDockerList =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr const char* kDockerConfig =
    "application/vnd.docker.container.image.v1+json";
inline constexpr const char* kDockerLayer =
    "application/vnd.docker.image.rootfs.diff.tar";
inline constexpr const char* kDockerLayerGzip =
    "application/vnd.docker.image.rootfs.diff.tar.gzip";
}  // namespace media

// How a layer's tarball is compressed.
enum class Compression { none, gzip, zstd };

// From the media type of a layer (OCI or Docker); throws Error for another.
Compression compression_of(std::string_view media_type);
// The OCI media type of a layer in that compression.
const char* layer_media_type(Compression compression);
bool is_index(std::string_view media_type);
bool is_manifest(std::string_view media_type);

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;  // bytes of the blob
  std::optional<Platform> platform;
  std::map<std::string, std::string> annotations;
  std::vector<std::string> urls;
};

struct Manifest {
  std::string media_type;  // kOciManifest or kDockerManifest
  Descriptor config;
  std::vector<Descriptor> layers;  // lowest first
  std::map<std::string, std::string> annotations;
};

struct Index {
  std::string media_type;
  std::vector<Descriptor> manifests;
  std::map<std::string, std::string> annotations;
};

struct Healthcheck {
  std::vector<std::string> test;
  // Nanoseconds; 0 means the engine's default.
  std::int64_t interval = 0;
  std::int64_t timeout = 0;
  std::int64_t start_period = 0;
  std::int64_t start_interval = 0;
  int retries = 0;
  bool operator==(const Healthcheck&) const = default;
};

// The `config` object: what a container of the image starts with. Empty and
// absent are told apart only where a Dockerfile can (cmd, entrypoint).
struct ContainerConfig {
  std::string user;
  std::set<std::string> exposed_ports;  // "80/tcp"
  std::vector<std::string> env;         // "K=V", in order
  std::optional<std::vector<std::string>> entrypoint;
  std::optional<std::vector<std::string>> cmd;
  std::set<std::string> volumes;
  std::string working_dir;
  std::map<std::string, std::string> labels;
  std::string stop_signal;
  std::optional<Healthcheck> healthcheck;
  std::vector<std::string> on_build;
  std::vector<std::string> shell;
  bool args_escaped = false;
};

struct History {
  std::string created;  // RFC 3339, or empty
  std::string created_by;
  std::string author;
  std::string comment;
  bool empty_layer = false;
};

struct ImageConfig {
  std::string created;  // RFC 3339, or empty
  std::string author;
  Platform platform;
  ContainerConfig config;
  std::vector<Digest> diff_ids;  // lowest layer first
  std::vector<History> history;
};

Manifest parse_manifest(std::string_view json);
Index parse_index(std::string_view json);
ImageConfig parse_image_config(std::string_view json);

// Fixed key order and no white space, so that equal values give equal digests.
std::string to_json(const Manifest& manifest);
std::string to_json(const Index& index);
std::string to_json(const ImageConfig& config);

}  // namespace cbuild::store
