#include "store/image.h"
#include "store/json.h"

namespace cbuild::store {
namespace {

Json descriptors_to(const std::vector<Descriptor>& descriptors) {
  Json list = Json::array();
  for (const Descriptor& descriptor : descriptors)
    list.push_back(descriptor_to(descriptor));
  return list;
}

void set_text(Json& json, const char* key, const std::string& value) {
  if (!value.empty()) json[key] = value;
}

template <typename List>
void set_list(Json& json, const char* key, const List& list) {
  if (!list.empty()) json[key] = list;
}

void set_keys(Json& json, const char* key, const std::set<std::string>& keys) {
  for (const std::string& name : keys) json[key][name] = Json::object();
}

void set_number(Json& json, const char* key, std::int64_t value) {
  if (value != 0) json[key] = value;
}

Json healthcheck_to(const Healthcheck& check) {
  Json json = Json::object();
  set_list(json, "Test", check.test);
  set_number(json, "Interval", check.interval);
  set_number(json, "Timeout", check.timeout);
  set_number(json, "StartPeriod", check.start_period);
  set_number(json, "StartInterval", check.start_interval);
  set_number(json, "Retries", check.retries);
  return json;
}

Json container_to(const ContainerConfig& config) {
  Json json = Json::object();
  set_text(json, "User", config.user);
  set_keys(json, "ExposedPorts", config.exposed_ports);
  set_list(json, "Env", config.env);
  if (config.entrypoint) json["Entrypoint"] = *config.entrypoint;
  if (config.cmd) json["Cmd"] = *config.cmd;
  if (config.healthcheck)
    json["Healthcheck"] = healthcheck_to(*config.healthcheck);
  if (config.args_escaped) json["ArgsEscaped"] = true;
  set_keys(json, "Volumes", config.volumes);
  set_text(json, "WorkingDir", config.working_dir);
  set_list(json, "OnBuild", config.on_build);
  set_list(json, "Labels", config.labels);
  set_text(json, "StopSignal", config.stop_signal);
  set_list(json, "Shell", config.shell);
  return json;
}

Json history_to(const History& history) {
  Json json = Json::object();
  set_text(json, "created", history.created);
  set_text(json, "created_by", history.created_by);
  set_text(json, "author", history.author);
  set_text(json, "comment", history.comment);
  if (history.empty_layer) json["empty_layer"] = true;
  return json;
}

}  // namespace

std::string to_json(const Manifest& manifest) {
  Json json = {{"schemaVersion", 2},
               {"mediaType", manifest.media_type},
               {"config", descriptor_to(manifest.config)},
               {"layers", descriptors_to(manifest.layers)}};
  set_list(json, "annotations", manifest.annotations);
  return dump(json);
}

std::string to_json(const Index& index) {
  Json json = {{"schemaVersion", 2},
               {"mediaType", index.media_type},
               {"manifests", descriptors_to(index.manifests)}};
  set_list(json, "annotations", index.annotations);
  return dump(json);
}

std::string to_json(const ImageConfig& image) {
  Json json = Json::object();
  set_text(json, "created", image.created);
  set_text(json, "author", image.author);
  json["architecture"] = image.platform.architecture;
  json["os"] = image.platform.os;
  set_text(json, "os.version", image.platform.os_version);
  set_list(json, "os.features", image.platform.os_features);
  set_text(json, "variant", image.platform.variant);
  json["config"] = container_to(image.config);
  Json diff_ids = Json::array();
  for (const Digest& id : image.diff_ids) diff_ids.push_back(id.text());
  json["rootfs"] = {{"type", "layers"}, {"diff_ids", std::move(diff_ids)}};
  Json history = Json::array();
  for (const History& entry : image.history)
    history.push_back(history_to(entry));
  json["history"] = std::move(history);
  return dump(json);
}

}  // namespace cbuild::store
