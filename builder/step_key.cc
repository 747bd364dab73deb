#include "builder/step_key.h"

#include <algorithm>

#include "base/text.h"

namespace cbuild::builder {
namespace {

using store::KeyInputs;

const char* type_name(parser::RunMount::Type type) {
  switch (type) {
    case parser::RunMount::Type::bind:
      return "bind";
    case parser::RunMount::Type::cache:
      return "cache";
    case parser::RunMount::Type::tmpfs:
      return "tmpfs";
    case parser::RunMount::Type::secret:
      return "secret";
    case parser::RunMount::Type::ssh:
      return "ssh";
  }
  return "";
}

const char* network_name(runtime::NetworkMode mode) {
  switch (mode) {
    case runtime::NetworkMode::egress:
      return "default";
    case runtime::NetworkMode::none:
      return "none";
    case runtime::NetworkMode::host:
      return "host";
  }
  return "";
}

// What a default is may as well be written out.
std::string ownership(const parser::RunMount& mount, std::uint32_t mode) {
  return " uid=" + std::to_string(mount.uid.value_or(0)) +
         " gid=" + std::to_string(mount.gid.value_or(0)) +
         " mode=" + std::to_string(mount.mode.value_or(mode));
}

// What a cache mount holds never counts, so neither do its id and how it is
// shared.
void add_mount(KeyInputs& inputs, const MountStep& step) {
  const parser::RunMount& m = step.mount;
  const std::string name = "mount " + step.target;
  std::string value = type_name(m.type);
  using Type = parser::RunMount::Type;
  const bool read_only =
      m.read_only.value_or(m.type != Type::cache && m.type != Type::tmpfs);
  value += read_only ? " ro" : " rw";
  switch (m.type) {
    case Type::tmpfs:
      value += " size=" + std::to_string(m.size);
      break;
    case Type::cache:
      value += ownership(m, 0755);
      break;
    case Type::secret:
      value += " id=" + (m.source.empty() ? m.id : m.source) +
               (m.env ? " env=" + *m.env : "") + ownership(m, 0400) +
               (m.required ? " required" : "");
      break;
    case Type::ssh:
      value += " id=" + (m.id.empty() ? "default" : m.id) + ownership(m, 0600) +
               (m.required ? " required" : "");
      break;
    case Type::bind:
      break;
  }
  inputs.emplace_back(name, value);
}

std::string last_name(const std::string& path) {
  const std::string clean = clean_path(path);
  return clean.substr(clean.rfind('/') + 1);
}

}  // namespace

namespace {

// Without detours, which lead to the same place; a slash at the end counts.
std::string spelled_once(const std::string& path) {
  const std::string clean = clean_path(path);
  const bool directory = path.ends_with('/') || path.ends_with("/.");
  return directory && clean != "/" ? clean + "/" : clean;
}

// 0644 is 644.
std::string spelled_mode(const std::string& mode) {
  const std::size_t digit = mode.find_first_not_of('0');
  if (digit == std::string::npos) return "0";
  const bool octal = mode.find_first_not_of("01234567") == std::string::npos;
  return octal ? mode.substr(digit) : mode;
}

}  // namespace

KeyInputs image_inputs(const ImageStep& step) {
  KeyInputs inputs = {{"step", "image"},
                      {"platform", step.image.config.platform.text()}};
  for (const store::Digest& diff_id : step.image.config.diff_ids)
    inputs.emplace_back("layer", diff_id.text());
  return inputs;
}

KeyInputs run_inputs(const RunStep& step, const BuildRequest& request) {
  KeyInputs inputs = {{"step", "run"}};
  for (const std::string& word : step.argv)
    inputs.emplace_back("command", word);
  for (const std::string& entry : step.env) {
    const std::size_t equals = entry.find('=');
    inputs.emplace_back("env " + entry.substr(0, equals),
                        entry.substr(equals + 1));
  }
  inputs.emplace_back("platform", step.platform.text());
  inputs.emplace_back("directory", step.cwd);
  inputs.emplace_back("user", step.user);
  inputs.emplace_back(
      "network", network_name(step.network.value_or(
                     request.network.value_or(runtime::NetworkMode::egress))));
  if (!step.hostname.empty()) inputs.emplace_back("hostname", step.hostname);
  if (step.insecure) inputs.emplace_back("security", "insecure");
  if (step.script) inputs.emplace_back("script", step.script->content);
  for (const auto& [host, address] : request.extra_hosts)
    inputs.emplace_back("host", host);
  if (request.shm_size != 0)
    inputs.emplace_back("shm size", std::to_string(request.shm_size));
  std::vector<runtime::ResourceLimit> limits = request.limits;
  std::sort(limits.begin(), limits.end(), [](const auto& a, const auto& b) {
    return a.resource < b.resource;
  });
  for (const runtime::ResourceLimit& limit : limits)
    inputs.emplace_back(
        "ulimit " + std::to_string(limit.resource),
        std::to_string(limit.soft) + ":" + std::to_string(limit.hard));
  for (const parser::RunDevice& device : step.devices)
    inputs.emplace_back("device " + device.name,
                        device.required ? "required" : "optional");
  for (const MountStep& mount : step.mounts) add_mount(inputs, mount);
  return inputs;
}

KeyInputs copy_inputs(const CopyStep& step) {
  const CopySpec& spec = step.spec;
  // ADD of files and COPY are one operation; unpacking is what tells them
  // apart.
  KeyInputs inputs = {{"step", "copy"},
                      {"destination", spelled_once(spec.destination)}};
  if (!spec.chown.empty()) inputs.emplace_back("chown", spec.chown);
  if (!spec.chmod.empty())
    inputs.emplace_back("chmod", spelled_mode(spec.chmod));
  if (step.link) inputs.emplace_back("link", "true");
  if (spec.parents) inputs.emplace_back("parents", "true");
  for (const std::string& pattern : spec.exclude)
    inputs.emplace_back("exclude", pattern);
  if (spec.unpack.value_or(spec.add) && !spec.sources.empty())
    inputs.emplace_back("unpack", "true");
  if (spec.source_date_epoch)
    inputs.emplace_back("source date epoch",
                        std::to_string(*spec.source_date_epoch));
  for (const InlineFile& file : spec.inline_files) {
    inputs.emplace_back("heredoc", file.name);
    inputs.emplace_back("heredoc content", file.content);
  }
  // What comes from the network says for itself how it is called.
  for (std::size_t i = 0; i < spec.sources.size(); ++i)
    if (!step.remotes.contains(i))
      inputs.emplace_back("source name", last_name(spec.sources[i]));
  return inputs;
}

KeyInputs source_declaration(const CopyStep& step) {
  KeyInputs inputs;
  for (const std::string& source : step.spec.sources)
    inputs.emplace_back("source", source);
  return inputs;
}

KeyInputs workdir_inputs(const WorkdirStep& step,
                         std::optional<std::int64_t> epoch) {
  KeyInputs inputs = {
      {"step", "workdir"}, {"path", step.path}, {"user", step.user}};
  if (epoch) inputs.emplace_back("source date epoch", std::to_string(*epoch));
  return inputs;
}

CopySpec mount_selection(const MountStep& mount) {
  CopySpec spec;
  const std::string& source = mount.mount.source;
  spec.sources = {source.empty() ? "/" : source};
  spec.destination = "/";
  spec.renamed = true;
  return spec;
}

}  // namespace cbuild::builder
