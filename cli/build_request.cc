#include <arpa/inet.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "cli/build_context.h"
#include "cli/build_flags.h"
#include "cli/values.h"

namespace cbuild::cli {
namespace {

std::vector<registry::Reference> tags(const Arguments& arguments) {
  std::vector<registry::Reference> result;
  for (const std::string& text : arguments.values("tag")) {
    try {
      result.push_back(registry::Reference::parse(text).with_default_tag());
    } catch (const registry::ReferenceError& e) {
      refuse_value("tag", text, e.what());
    }
    if (result.back().digest())
      refuse_value("tag", text, "a tag cannot hold a digest");
  }
  return result;
}

void read_build_args(const Arguments& arguments,
                     builder::BuildRequest& request) {
  bool has_epoch = false;
  for (const std::string& text : arguments.values("build-arg")) {
    auto [name, value] = cut(text);
    if (name.empty())
      refuse_value("build-arg", text, "want NAME=VALUE or NAME");
    has_epoch |= name == "SOURCE_DATE_EPOCH";
    if (!value) {
      // Unset in the environment too: the Dockerfile's default stays.
      const char* inherited = std::getenv(name.c_str());
      if (inherited == nullptr) continue;
      value = inherited;
    }
    request.build_args.emplace_back(std::move(name), std::move(value));
  }
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");
  if (!has_epoch && epoch != nullptr && *epoch != '\0')
    request.build_args.emplace_back("SOURCE_DATE_EPOCH", epoch);
}

void read_labels(const Arguments& arguments, builder::BuildRequest& request) {
  for (const std::string& text : arguments.values("label")) {
    auto [name, value] = cut(text);
    if (name.empty()) refuse_value("label", text, "want NAME=VALUE");
    request.labels.emplace_back(name, value.value_or(""));
  }
  for (const std::string& text : arguments.values("annotation")) {
    auto [name, value] = cut(text);
    if (name.empty() || !value)
      refuse_value("annotation", text, "want NAME=VALUE");
    // buildx puts where it goes in front: manifest:, index:, ...
    const std::size_t colon = name.find(':');
    const std::string place =
        colon == std::string::npos ? "" : name.substr(0, colon);
    if (place == "manifest")
      name.erase(0, colon + 1);
    else if (place.starts_with("index") || place.starts_with("manifest"))
      refuse_value("annotation", text,
                   "only the manifest can have annotations yet");
    request.annotations.emplace_back(name, *value);
  }
}

void read_build_contexts(const Arguments& arguments,
                         builder::BuildRequest& request) {
  for (const std::string& text : arguments.values("build-context")) {
    auto [name, value] = cut(text);
    if (name.empty() || !value || value->empty())
      refuse_value("build-context", text, "want NAME=VALUE");
    request.build_contexts[name] = *value;
  }
}

void read_context_mode(const Arguments& arguments,
                       builder::BuildRequest& request) {
  const std::string mode = arguments.value("context-mode", "as-is");
  if (mode == "git")
    request.context_mode = builder::ContextMode::git;
  else if (mode != "as-is")
    refuse_value("context-mode", mode,
                 "want git or as-is" + did_you_mean(mode, {"git", "as-is"}));
}

builder::SecretSource secret_source(const std::string& id,
                                    const std::string& type,
                                    const std::string& path,
                                    const std::string& variable) {
  using Kind = builder::SecretSource::Kind;
  if (!variable.empty()) return {Kind::environment, variable};
  if (type == "env") return {Kind::environment, path.empty() ? id : path};
  if (!path.empty()) return {Kind::file, path};
  // Only an id: a variable of that name, else a file (buildx).
  if (type.empty() && std::getenv(id.c_str()) != nullptr)
    return {Kind::environment, id};
  return {Kind::file, id};
}

void read_secrets(const Arguments& arguments, builder::BuildRequest& request) {
  for (const std::string& text : arguments.values("secret")) {
    std::string id, type, path, variable;
    for (const std::string& field : split(text, ',')) {
      const auto [key, value] = cut(field);
      const std::string name = to_lower(key);
      if (!value)
        refuse_value("secret", text,
                     "invalid field '" + field + "' must be a key=value pair");
      if (name == "id")
        id = *value;
      else if (name == "src" || name == "source")
        path = *value;
      else if (name == "env")
        variable = *value;
      else if (name == "type" && (*value == "file" || *value == "env"))
        type = *value;
      else if (name == "type")
        refuse_value("secret", text,
                     "unsupported secret type \"" + *value + "\"");
      else
        refuse_value("secret", text,
                     "unexpected key '" + key + "' in '" + field + "'" +
                         did_you_mean(key, {"id", "src", "env"}));
    }
    if (id.empty()) refuse_value("secret", text, "it has no id");
    request.secrets[id] = secret_source(id, type, path, variable);
  }
}

void read_network(const Arguments& arguments, builder::BuildRequest& request) {
  const std::string mode = arguments.value("network", "default");
  if (mode == "none") {
    request.network = runtime::NetworkMode::none;
  } else if (mode == "host") {
    request.network = runtime::NetworkMode::host;
    request.allow_network_host = true;  // as buildx does
  } else if (mode != "default" && !mode.empty()) {
    refuse_value("network", mode,
                 "want default, none or host" +
                     did_you_mean(mode, {"default", "none", "host"}));
  }
}

bool is_address(const std::string& text) {
  unsigned char bytes[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, text.c_str(), bytes) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

void read_hosts(const Arguments& arguments, builder::BuildRequest& request) {
  for (const std::string& text : arguments.values("add-host")) {
    const bool equals = text.find('=') != std::string::npos;
    auto [name, address] = cut(text, equals ? "=" : ":");
    if (name.empty() || !address || name.find(':') != std::string::npos)
      refuse_value("add-host", text, "bad format for add-host: want HOST:IP");
    if (*address == "host-gateway")
      refuse_value("add-host", text, "host-gateway is not supported yet");
    if (address->size() > 2 && address->front() == '[' &&
        address->back() == ']')
      address = address->substr(1, address->size() - 2);
    if (!is_address(*address))
      refuse_value("add-host", text, "invalid IP address: " + *address);
    request.extra_hosts.emplace_back(to_lower(name), *address);
  }
}

struct LimitName {
  const char* name;
  int resource;
};

// docker's go-units knows these.
constexpr LimitName kLimits[] = {
    {"core", RLIMIT_CORE},         {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},         {"fsize", RLIMIT_FSIZE},
    {"locks", RLIMIT_LOCKS},       {"memlock", RLIMIT_MEMLOCK},
    {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
    {"nofile", RLIMIT_NOFILE},     {"nproc", RLIMIT_NPROC},
    {"rss", RLIMIT_RSS},           {"rtprio", RLIMIT_RTPRIO},
    {"rttime", RLIMIT_RTTIME},     {"sigpending", RLIMIT_SIGPENDING},
    {"stack", RLIMIT_STACK},
};

std::uint64_t limit_value(const std::string& text, const std::string& whole) {
  if (text == "-1") return RLIM_INFINITY;
  const auto number = parse_number(text);
  if (!number) refuse_value("ulimit", whole, "invalid ulimit value: " + text);
  return *number;
}

runtime::ResourceLimit resource_limit(const std::string& text) {
  const auto [name, values] = cut(text);
  if (!values) refuse_value("ulimit", text, "want NAME=SOFT[:HARD]");
  const auto* row =
      std::find_if(std::begin(kLimits), std::end(kLimits),
                   [&](const LimitName& limit) { return name == limit.name; });
  if (row == std::end(kLimits)) {
    std::vector<std::string> names;
    for (const LimitName& limit : kLimits) names.emplace_back(limit.name);
    refuse_value("ulimit", text,
                 "invalid ulimit type: " + name + did_you_mean(name, names));
  }
  const auto [soft, hard] = cut(*values, ":");
  runtime::ResourceLimit limit{row->resource, limit_value(soft, text), 0};
  limit.hard = hard ? limit_value(*hard, text) : limit.soft;
  if (limit.soft > limit.hard)
    refuse_value("ulimit", text,
                 "the soft limit must not exceed the hard limit");
  return limit;
}

void read_limits(const Arguments& arguments, builder::BuildRequest& request) {
  for (const std::string& text : arguments.values("ulimit")) {
    const runtime::ResourceLimit limit = resource_limit(text);
    std::erase_if(request.limits, [&](const runtime::ResourceLimit& other) {
      return other.resource == limit.resource;
    });
    request.limits.push_back(limit);
  }
}

void read_sandbox(const Arguments& arguments, builder::BuildRequest& request) {
  read_network(arguments, request);
  read_hosts(arguments, request);
  read_limits(arguments, request);
  if (arguments.has("shm-size")) {
    const std::string text = arguments.value("shm-size");
    const auto bytes = parse_bytes(text);
    if (!bytes) refuse_value("shm-size", text, "want bytes, such as 64m");
    request.shm_size = *bytes;
  }
  for (const std::string& what : arguments.values("allow")) {
    if (what == "network.host")
      request.allow_network_host = true;
    else if (what == "security.insecure")
      request.allow_security_insecure = true;
    else
      refuse_value(
          "allow", what,
          "want network.host or security.insecure" +
              did_you_mean(what, {"network.host", "security.insecure"}));
  }
}

void read_result(const Arguments& arguments, builder::BuildRequest& request) {
  request.tags = tags(arguments);
  const std::string kind = arguments.value("compression", "gzip");
  if (kind == "zstd")
    request.compression = store::Compression::zstd;
  else if (kind == "uncompressed" || kind == "none")
    request.compression = store::Compression::none;
  else if (kind != "gzip")
    refuse_value("compression", kind, "want gzip, zstd or uncompressed");
  const std::string level = arguments.value("compression-level", "default");
  request.fast_compression = level == "fast";
  if (level != "fast" && level != "default")
    refuse_value("compression-level", level, "want fast or default");
  if (arguments.has("jobs")) {
    const auto jobs = parse_number(arguments.value("jobs"));
    if (!jobs || *jobs > 1024)
      refuse_value("jobs", arguments.value("jobs"), "want a number up to 1024");
    request.jobs = static_cast<unsigned>(*jobs);
  }
}

void read_platform(const Arguments& arguments, builder::BuildRequest& request) {
  if (!arguments.has("platform")) return;
  const std::string platform = arguments.value("platform");
  if (platform.find(',') != std::string::npos)
    refuse_value("platform", platform,
                 "one platform at a time is supported yet");
  try {
    request.platform = platform == "local" ? store::host_platform()
                                           : store::parse_platform(platform);
  } catch (const Error& e) {
    refuse_value("platform", platform, e.what());
  }
}

// Without a stage, all of them.
std::optional<std::vector<std::string>> expected_stages(
    const Arguments& arguments) {
  if (!arguments.has("expect-cached")) return std::nullopt;
  std::vector<std::string> stages;
  for (const std::string& text : arguments.values("expect-cached")) {
    if (text.empty()) return std::vector<std::string>();
    for (const std::string& stage : split(text, ',')) stages.push_back(stage);
  }
  return stages;
}

}  // namespace

builder::BuildRequest source_request(const Arguments& arguments) {
  builder::BuildRequest request;
  read_build_args(arguments, request);
  read_build_contexts(arguments, request);
  read_context_mode(arguments, request);
  read_platform(arguments, request);
  request.target = arguments.value("target");
  const auto& words = arguments.words();
  read_context(words.empty() ? "." : words.front(), arguments.value("file"),
               request);
  return request;
}

builder::BuildRequest build_request(const Arguments& arguments) {
  builder::BuildRequest request = source_request(arguments);
  read_labels(arguments, request);
  read_secrets(arguments, request);
  read_sandbox(arguments, request);
  read_result(arguments, request);
  request.no_cache = arguments.has("no-cache");
  request.pull = arguments.has("pull");
  request.explain = arguments.has("explain");
  request.expect_cached = expected_stages(arguments);
  for (const std::string& text : arguments.values("no-cache-filter"))
    for (const std::string& stage : split(text, ','))
      request.no_cache_filter.push_back(stage);
  return request;
}

}  // namespace cbuild::cli
