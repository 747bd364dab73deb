#include "builder/devices.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/dir.h"
#include "base/text.h"
#include "builder/yaml.h"

namespace cbuild::builder {
namespace {

using Json = nlohmann::json;

constexpr const char* kClass = "org.mobyproject.buildkit.device.class";
constexpr const char* kAutoAllow = "org.mobyproject.buildkit.device.autoallow";

// One device of a spec, with what the spec adds to each.
struct Declared {
  std::string kind;
  std::string name;
  std::string file;
  Json annotations;
  std::vector<Json> edits;
};

std::string text_at(const Json& object, const char* key,
                    const std::string& otherwise = "") {
  const auto found = object.find(key);
  return found == object.end() ? otherwise : found->get<std::string>();
}

template <typename Visit>
void each(const Json& object, const char* key, Visit&& visit) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return;
  for (const Json& entry : *found) visit(entry);
}

// The numbers of a node: as declared, or those of the host's.
runtime::DeviceNode device_node(const Json& json) {
  runtime::DeviceNode node;
  node.path = text_at(json, "path");
  if (!clean_path(node.path).starts_with("/dev/"))
    throw Error("device node " + node.path + " is not below /dev");
  const std::string host = text_at(json, "hostPath", node.path);
  struct stat st = {};
  const bool found = ::stat(host.c_str(), &st) == 0 &&
                     (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode));
  std::string type = text_at(json, "type");
  if (found) {
    if (type.empty()) type = S_ISBLK(st.st_mode) ? "b" : "c";
    node.mode = st.st_mode & 07777;
    node.major = ::major(st.st_rdev);
    node.minor = ::minor(st.st_rdev);
  } else if (type.empty() || !json.contains("major")) {
    throw Error("device node " + host + ": no such device");
  }
  if (type != "b" && type != "c" && type != "u")
    throw Error("device node " + node.path + ": type " + go_quote(type) +
                " is not supported");
  node.block = type == "b";
  node.major = json.value("major", node.major);
  node.minor = json.value("minor", node.minor);
  node.mode = json.value("fileMode", node.mode);
  node.uid = json.value("uid", 0u);
  node.gid = json.value("gid", 0u);
  return node;
}

DeviceEdits::HostPath host_path(const Json& json) {
  DeviceEdits::HostPath mount{text_at(json, "hostPath"),
                              text_at(json, "containerPath"), false};
  each(json, "options", [&](const Json& option) {
    mount.read_only |= option.get<std::string>() == "ro";
  });
  return mount;
}

void apply(const Json& edits, DeviceEdits& device) {
  if (edits.contains("hooks") && !edits["hooks"].empty())
    throw Error("hooks are not supported");
  each(edits, "env", [&](const Json& entry) {
    device.env.push_back(entry.get<std::string>());
  });
  each(edits, "deviceNodes",
       [&](const Json& entry) { device.nodes.push_back(device_node(entry)); });
  each(edits, "mounts",
       [&](const Json& entry) { device.mounts.push_back(host_path(entry)); });
}

void read_spec(const std::string& file, std::vector<Declared>& all) {
  std::string text = read_file(file).value_or("");
  if (!file.ends_with(".json"))
    text = in_context("CDI spec " + file, [&] { return yaml_to_json(text); });
  const Json spec = Json::parse(text);
  const std::string kind = spec.at("kind").get<std::string>();
  for (const Json& device : spec.at("devices")) {
    Declared entry;
    entry.kind = kind;
    entry.name = device.at("name").get<std::string>();
    entry.file = file;
    entry.annotations = spec.value("annotations", Json::object());
    entry.annotations.update(device.value("annotations", Json::object()));
    for (const Json* from : {&spec, &device})
      if (from->contains("containerEdits"))
        entry.edits.push_back(from->at("containerEdits"));
    std::erase_if(all, [&](const Declared& other) {
      return other.kind == entry.kind && other.name == entry.name;
    });
    all.push_back(std::move(entry));
  }
}

std::vector<Declared> read_specs(const std::vector<std::string>& directories) {
  std::vector<Declared> all;
  for (const std::string& directory : directories) {
    struct stat st;
    if (::stat(directory.c_str(), &st) == -1) continue;
    const Fd dir = open_path(directory, O_RDONLY | O_DIRECTORY);
    for (const std::string& name : list_dir(dir.get())) {
      const std::string file = directory + "/" + name;
      if (!name.ends_with(".json") && !name.ends_with(".yaml")) continue;
      try {
        read_spec(file, all);
      } catch (const Json::exception& e) {
        throw Error("CDI spec " + file + ": " + e.what());
      }
    }
  }
  return all;
}

DeviceEdits edits_of(const Declared& declared) {
  return in_context("CDI spec " + declared.file, [&] {
    DeviceEdits device;
    device.name = declared.kind + "=" + declared.name;
    device.auto_allowed = text_at(declared.annotations, kAutoAllow) == "true";
    try {
      for (const Json& edits : declared.edits) apply(edits, device);
    } catch (const Json::exception& e) {
      throw Error(e.what());
    }
    return device;
  });
}

}  // namespace

std::vector<DeviceEdits> find_devices(
    const std::vector<std::string>& directories, const std::string& name) {
  const std::size_t equals = name.find('=');
  const std::string kind = name.substr(0, equals);
  const std::string which =
      equals == std::string::npos ? "" : name.substr(equals + 1);
  const std::vector<Declared> all = read_specs(directories);
  std::vector<DeviceEdits> found;
  for (const Declared& declared : all)
    if (declared.kind == kind &&
        (which.empty() || which == "*" || which == declared.name)) {
      found.push_back(edits_of(declared));
      if (which.empty()) break;
    }
  if (!found.empty() || equals != std::string::npos) return found;
  for (const Declared& declared : all)
    if (text_at(declared.annotations, kClass) == name)
      found.push_back(edits_of(declared));
  return found;
}

}  // namespace cbuild::builder
