#include "builder/failed_run.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/dir.h"
#include "base/text.h"

namespace cbuild::builder {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FailedRun::Mount, type, target, place,
                                   source, id, text, layers, size, read_only,
                                   mode, uid, gid)

namespace {

using Json = nlohmann::json;

std::string folder(const store::Store& store) {
  return store.root() + "/failed";
}

// Names and paths may hold any byte; JSON holds text.
std::string encoded(const std::string& bytes) { return base64_encode(bytes); }

std::string decoded_text(const std::string& text) {
  return base64_decode(text).value_or("");
}

std::string decoded(const Json& json) {
  return decoded_text(json.get<std::string>());
}

std::vector<std::string> decoded_list(const Json& json) {
  std::vector<std::string> list;
  for (const Json& entry : json) list.push_back(decoded(entry));
  return list;
}

Json encoded_list(const std::vector<std::string>& list) {
  Json json = Json::array();
  for (const std::string& entry : list) json.push_back(encoded(entry));
  return json;
}

FailedRun::Mount with_text(FailedRun::Mount mount,
                           std::string (*change)(const std::string&)) {
  for (std::string* text :
       {&mount.target, &mount.place, &mount.source, &mount.id, &mount.text})
    *text = change(*text);
  return mount;
}

Json limits_of(const runtime::RunSpec& spec) {
  Json limits = Json::array();
  for (const runtime::ResourceLimit& limit : spec.limits)
    limits.push_back({limit.resource, limit.soft, limit.hard});
  return limits;
}

Json devices_of(const runtime::RunSpec& spec) {
  Json devices = Json::array();
  for (const runtime::DeviceNode& node : spec.devices)
    devices.push_back({node.path, node.block, node.major, node.minor, node.mode,
                       node.uid, node.gid});
  return devices;
}

std::string text_of(const FailedRun& run) {
  const runtime::RunSpec& spec = run.spec;
  Json json = {{"title", encoded(run.title)},
               {"reason", run.reason},
               {"time", run.time},
               {"argv", encoded_list(spec.argv)},
               {"env", encoded_list(spec.env)},
               {"cwd", encoded(spec.cwd)},
               {"user", encoded(spec.user)},
               {"hostname", encoded(spec.hostname)},
               {"network", static_cast<int>(spec.network)},
               {"hosts", spec.extra_hosts},
               {"shm", spec.shm_size},
               {"insecure", spec.insecure},
               {"limits", limits_of(spec)},
               {"devices", devices_of(spec)},
               {"mounts", Json::array()}};
  for (const FailedRun::Mount& mount : run.mounts)
    json["mounts"].push_back(with_text(mount, encoded));
  return json.dump();
}

void read_spec(const Json& json, runtime::RunSpec& spec) {
  spec.argv = decoded_list(json.at("argv"));
  spec.env = decoded_list(json.at("env"));
  spec.cwd = decoded(json.at("cwd"));
  spec.user = decoded(json.at("user"));
  spec.hostname = decoded(json.at("hostname"));
  spec.network =
      static_cast<runtime::NetworkMode>(json.at("network").get<int>());
  json.at("hosts").get_to(spec.extra_hosts);
  json.at("shm").get_to(spec.shm_size);
  json.at("insecure").get_to(spec.insecure);
  for (const Json& limit : json.at("limits"))
    spec.limits.push_back({limit[0], limit[1], limit[2]});
  for (const Json& node : json.at("devices"))
    spec.devices.push_back(
        {node[0], node[1], node[2], node[3], node[4], node[5], node[6]});
}

FailedRun read_run(const std::string& directory, const std::string& id) {
  const Json json =
      Json::parse(read_file(directory + "/run.json").value_or(""));
  FailedRun run;
  run.id = id;
  run.title = decoded(json.at("title"));
  json.at("reason").get_to(run.reason);
  json.at("time").get_to(run.time);
  for (const Json& mount : json.at("mounts"))
    run.mounts.push_back(
        with_text(mount.get<FailedRun::Mount>(), decoded_text));
  read_spec(json, run.spec);
  run.layers = split(trim(read_file(directory + "/layers").value_or("")), '\n');
  if (run.layers == std::vector<std::string>{""}) run.layers.clear();
  return run;
}

void write_new(const std::string& path, const std::string& text) {
  Fd file = open_path(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  write_all(file.get(), text, path);
  file.close();
}

}  // namespace

std::string keep_failed(store::Store& store, const FailedRun& run,
                        const std::string& upper) {
  const std::string id = random_hex(6);
  make_dirs(folder(store), 0700);
  TempDir staged = store.temp_dir("failed-");
  write_new(staged.path() + "/run.json", text_of(run));
  write_new(staged.path() + "/layers", join(run.layers, "\n"));
  check(::rename(upper.c_str(), (staged.path() + "/upper").c_str()), "rename",
        upper);
  const std::string place = folder(store) + "/" + id;
  store.hold("failed/" + place.substr(place.rfind('/') + 1));
  check(::rename(staged.path().c_str(), place.c_str()), "rename", place);
  staged.keep();
  return id;
}

std::vector<FailedRun> failed_runs(store::Store& store) {
  std::vector<FailedRun> runs;
  struct stat st;
  if (::stat(folder(store).c_str(), &st) == -1) return runs;
  const Fd dir = open_path(folder(store), O_RDONLY | O_DIRECTORY);
  for (const std::string& id : list_dir(dir.get())) {
    try {
      runs.push_back(read_run(folder(store) + "/" + id, id));
    } catch (const Json::exception&) {
      // Of another version, or being removed: prune takes it.
    }
  }
  std::sort(
      runs.begin(), runs.end(),
      [](const FailedRun& a, const FailedRun& b) { return a.time > b.time; });
  return runs;
}

FailedRun find_failed(store::Store& store, const std::string& id) {
  std::vector<FailedRun> found = failed_runs(store);
  if (found.empty())
    throw UsageError("no failed RUN is kept: build with --on-fail=keep");
  if (id.empty()) return found.front();
  std::erase_if(found,
                [&](const FailedRun& run) { return !run.id.starts_with(id); });
  if (found.empty()) throw UsageError("no failed RUN is kept as " + id);
  if (found.size() > 1)
    throw UsageError("several failed RUNs are kept as " + id + "...");
  return found.front();
}

void remove_failed(store::Store& store, const std::string& id) {
  remove_tree(folder(store) + "/" + id);
}

}  // namespace cbuild::builder
