// cbuild inspect: all that an image says of itself, as docker's JSON.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command.h"
#include "cli/find_image.h"
#include "cli/output.h"
#include "cli/template.h"
#include "registry/reference.h"

namespace cbuild::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr Flag kFlags[] = {
    {"Options", "-f,--format", Takes::one, "FORMAT",
     "json, or a template such as '{{.Id}}' or '{{json .Config.Env}}'"},
};
constexpr FlagTable kTable = {{kFlags, kGlobalFlags}};

Json set_of(const std::set<std::string>& names) {
  if (names.empty()) return nullptr;
  Json json = Json::object();
  for (const std::string& name : names) json[name] = Json::object();
  return json;
}

template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json healthcheck_json(const store::Healthcheck& check) {
  Json json;
  if (!check.test.empty()) json["Test"] = check.test;
  if (check.interval != 0) json["Interval"] = check.interval;
  if (check.timeout != 0) json["Timeout"] = check.timeout;
  if (check.start_period != 0) json["StartPeriod"] = check.start_period;
  if (check.start_interval != 0) json["StartInterval"] = check.start_interval;
  if (check.retries != 0) json["Retries"] = check.retries;
  return json;
}

Json config_json(const store::ContainerConfig& config) {
  Json json = {
      {"User", config.user},
      {"ExposedPorts", set_of(config.exposed_ports)},
      {"Env", config.env},
      {"Cmd", or_null(config.cmd)},
      {"Volumes", set_of(config.volumes)},
      {"WorkingDir", config.working_dir},
      {"Entrypoint", or_null(config.entrypoint)},
      {"OnBuild",
       config.on_build.empty() ? Json(nullptr) : Json(config.on_build)},
      {"Labels", config.labels.empty() ? Json(nullptr) : Json(config.labels)},
  };
  if (!config.stop_signal.empty()) json["StopSignal"] = config.stop_signal;
  if (!config.shell.empty()) json["Shell"] = config.shell;
  if (config.args_escaped) json["ArgsEscaped"] = true;
  if (config.healthcheck)
    json["Healthcheck"] = healthcheck_json(*config.healthcheck);
  return json;
}

void add_names(const store::Store& store, const store::Digest& manifest,
               Json& json) {
  Json tags = Json::array();
  Json digests = Json::array();
  for (const store::NamedImage& image : store.images.list()) {
    if (image.manifest.digest != manifest || image.name.empty()) continue;
    tags.push_back(image.familiar);
    const auto name = registry::Reference::parse(image.name).familiar_name();
    const std::string by_digest = name + "@" + manifest.text();
    if (std::find(digests.begin(), digests.end(), by_digest) == digests.end())
      digests.push_back(by_digest);
  }
  json["RepoTags"] = std::move(tags);
  json["RepoDigests"] = std::move(digests);
}

Json image_json(store::Store& store, const store::Image& image) {
  Json layers = Json::array();
  for (const store::Digest& layer : image.config.diff_ids)
    layers.push_back(layer.text());
  Json json = {{"Id", image.manifest.config.digest.text()}};
  add_names(store, image.descriptor.digest, json);
  json["Created"] = image.config.created;
  json["Author"] = image.config.author;
  json["Config"] = config_json(image.config.config);
  json["Architecture"] = image.config.platform.architecture;
  if (!image.config.platform.variant.empty())
    json["Variant"] = image.config.platform.variant;
  json["Os"] = image.config.platform.os;
  json["Size"] = image_size(store, image);
  json["RootFS"] = {{"Type", "layers"}, {"Layers", std::move(layers)}};
  json["Descriptor"] = {{"mediaType", image.descriptor.media_type},
                        {"digest", image.descriptor.digest.text()},
                        {"size", image.descriptor.size}};
  if (!image.manifest.annotations.empty())
    json["Annotations"] = image.manifest.annotations;
  return json;
}

// The value at ".A.B"; "." is the whole.
const Json& at_path(const Json& json, const std::string& path) {
  const Json* here = &json;
  for (const std::string& name : split(std::string_view(path).substr(1), '.')) {
    if (name.empty()) continue;
    const auto found = here->is_object() ? here->find(name) : here->end();
    if (!here->is_object() || found == here->end()) {
      std::vector<std::string> names;
      if (here->is_object())
        for (const auto& item : here->items()) names.push_back(item.key());
      throw Error("--format: no field " + go_quote(name) + " in " + path +
                  did_you_mean(name, names));
    }
    here = &*found;
  }
  return *here;
}

std::string as_text(const Json& json) {
  return json.is_string() ? json.get<std::string>() : json.dump();
}

// {{.A.B}}, {{json .A}} and {{index .A "key" or number}}.
std::string expression(const Json& json, const std::string& text) {
  const std::string inside(trim(text));
  if (inside.starts_with('.')) return as_text(at_path(json, inside));
  const std::vector<std::string> words = split(inside, ' ');
  const bool has_path = words.size() > 1 && words[1].starts_with('.');
  if (has_path && words.size() == 2 && words[0] == "json")
    return at_path(json, words[1]).dump();
  if (has_path && words.size() == 3 && words[0] == "index") {
    const Json& list = at_path(json, words[1]);
    const std::string key(trim(words[2], "\""));
    if (list.is_object() && list.contains(key)) return as_text(list[key]);
    const auto number = parse_number(key);
    if (list.is_array() && number && *number < list.size())
      return as_text(list[*number]);
    throw Error("--format: nothing at " + words[2] + " in " + words[1]);
  }
  throw UsageError("--format: {{" + inside +
                   "}} is not supported: want {{.Field}}, {{json .Field}} or "
                   "{{index .Field KEY}}");
}

void run_inspect(Session& session) {
  const Arguments& args = session.args();
  store::Store& store = session.store();
  const store::Lease lease = store.lease();
  const std::string format = unescape_template(args.value("format"));
  Json all = Json::array();
  for (const std::string& word : args.words()) {
    const store::Image image = store.images.load(find_image(store, word));
    Json json = image_json(store, image);
    if (format.empty() || format == "json")
      all.push_back(std::move(json));
    else
      print(fill_template(format,
                          [&](const std::string& text) {
                            return expression(json, text);
                          }) +
            "\n");
  }
  if (format.empty()) print(all.dump(4) + "\n");
  if (format == "json") print(all.dump() + "\n");
}

}  // namespace

const Command kInspectCommand = {
    "inspect",
    "[OPTIONS] IMAGE [IMAGE...]",
    "Print all that images say of themselves, as JSON",
    R"(Examples:
  cbuild inspect app
  cbuild inspect -f '{{json .Config.Cmd}}' app
)",
    kTable,
    1,
    1 << 16,
    run_inspect,
};

}  // namespace cbuild::cli
