#include <string>

#include "store/image.h"
#include "store/json.h"

// Documents come from registries and archives of every age. What the
// specifications call optional may be absent or null; what is there with
// another type is an error and not guessed at.

namespace cbuild::store {
namespace {

// An object whose keys are a set: {"80/tcp": {}}.
std::set<std::string> keys_at(const Json& object, const char* key) {
  std::set<std::string> keys;
  const Json* value = member(object, key);
  if (!value) return keys;
  if (!value->is_object())
    throw Error("\"" + std::string(key) + "\" is not an object");
  for (const auto& [name, ignored] : value->items()) keys.insert(name);
  return keys;
}

std::optional<std::vector<std::string>> optional_texts_at(const Json& object,
                                                          const char* key) {
  if (!member(object, key)) return std::nullopt;
  return texts_at(object, key);
}

Healthcheck healthcheck_from(const Json& json) {
  return {.test = texts_at(json, "Test"),
          .interval = number_at(json, "Interval"),
          .timeout = number_at(json, "Timeout"),
          .start_period = number_at(json, "StartPeriod"),
          .start_interval = number_at(json, "StartInterval"),
          .retries = static_cast<int>(number_at(json, "Retries"))};
}

ContainerConfig container_from(const Json& json) {
  ContainerConfig config;
  config.user = text_at(json, "User");
  config.exposed_ports = keys_at(json, "ExposedPorts");
  config.env = texts_at(json, "Env");
  config.entrypoint = optional_texts_at(json, "Entrypoint");
  config.cmd = optional_texts_at(json, "Cmd");
  config.volumes = keys_at(json, "Volumes");
  config.working_dir = text_at(json, "WorkingDir");
  config.labels = pairs_at(json, "Labels");
  config.stop_signal = text_at(json, "StopSignal");
  if (const Json* check = member(json, "Healthcheck"))
    config.healthcheck = healthcheck_from(*check);
  config.on_build = texts_at(json, "OnBuild");
  config.shell = texts_at(json, "Shell");
  config.args_escaped = flag_at(json, "ArgsEscaped");
  return config;
}

History history_from(const Json& json) {
  if (!json.is_object()) throw Error("a history entry is not an object");
  return {.created = text_at(json, "created"),
          .created_by = text_at(json, "created_by"),
          .author = text_at(json, "author"),
          .comment = text_at(json, "comment"),
          .empty_layer = flag_at(json, "empty_layer")};
}

const Json& list_at(const Json& object, const char* key) {
  static const Json empty = Json::array();
  const Json* value = member(object, key);
  if (!value) return empty;
  if (!value->is_array())
    throw Error("\"" + std::string(key) + "\" is not a list");
  return *value;
}

void refuse_schema_1(const Json& json) {
  if (number_at(json, "schemaVersion") == 1)
    throw Error(
        "the image has a manifest of schema version 1, which docker and "
        "BuildKit no longer support either: push it again with a newer client");
}

Manifest manifest_from(const Json& json) {
  refuse_schema_1(json);
  const Json* config = member(json, "config");
  if (!config) throw Error("the manifest has no config");
  Manifest manifest{.media_type = text_at(json, "mediaType"),
                    .config = descriptor_from(*config),
                    .layers = {},
                    .annotations = pairs_at(json, "annotations")};
  for (const Json& layer : list_at(json, "layers"))
    manifest.layers.push_back(descriptor_from(layer));
  // OCI manifests of before 1.1 often have no media type.
  if (manifest.media_type.empty())
    manifest.media_type = manifest.config.media_type == media::kDockerConfig
                              ? media::kDockerManifest
                              : media::kOciManifest;
  return manifest;
}

}  // namespace

Manifest parse_manifest(std::string_view text) {
  return in_context("image manifest",
                    [&] { return manifest_from(parse_object(text, "it")); });
}

Index parse_index(std::string_view text) {
  return in_context("image index", [&] {
    const Json json = parse_object(text, "it");
    refuse_schema_1(json);
    Index index{.media_type = text_at(json, "mediaType"),
                .manifests = {},
                .annotations = pairs_at(json, "annotations")};
    if (!member(json, "manifests")) throw Error("it has no manifests");
    for (const Json& entry : list_at(json, "manifests"))
      index.manifests.push_back(descriptor_from(entry));
    if (index.media_type.empty()) index.media_type = media::kOciIndex;
    return index;
  });
}

ImageConfig parse_image_config(std::string_view text) {
  return in_context("image config", [&] {
    const Json json = parse_object(text, "it");
    ImageConfig image;
    image.created = text_at(json, "created");
    image.author = text_at(json, "author");
    image.platform = normalize({.os = text_at(json, "os"),
                                .architecture = text_at(json, "architecture"),
                                .variant = text_at(json, "variant"),
                                .os_version = text_at(json, "os.version"),
                                .os_features = texts_at(json, "os.features")});
    if (const Json* config = member(json, "config"))
      image.config = container_from(*config);
    if (const Json* rootfs = member(json, "rootfs"))
      for (const std::string& id : texts_at(*rootfs, "diff_ids"))
        image.diff_ids.push_back(Digest::parse(id));
    for (const Json& entry : list_at(json, "history"))
      image.history.push_back(history_from(entry));
    return image;
  });
}

}  // namespace cbuild::store
