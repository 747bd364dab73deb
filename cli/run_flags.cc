// How commands run: what build's flags say about the sandbox.
#include "cli/run_flags.h"

#include <arpa/inet.h>
#include <sys/resource.h>

#include <algorithm>

#include "base/dir.h"
#include "base/text.h"
#include "cli/values.h"

namespace cbuild::cli {
namespace {

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
    if (*address == runtime::kHostGateway) {
      request.extra_hosts.emplace_back(to_lower(name), *address);
      continue;
    }
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

void read_allowed(const Arguments& arguments, builder::BuildRequest& request) {
  for (const std::string& what : arguments.values("allow")) {
    if (what == "network.host")
      request.allow_network_host = true;
    else if (what == "security.insecure")
      request.allow_security_insecure = true;
    else if (what == "device")
      request.allow_devices = true;
    else if (what.starts_with("device="))
      request.allowed_devices.push_back(what.substr(7));
    else
      refuse_value(
          "allow", what,
          "want network.host, security.insecure, device or device=NAME" +
              did_you_mean(what,
                           {"network.host", "security.insecure", "device"}));
  }
  if (arguments.has("cdi-config-dir"))
    request.cdi_directories = arguments.values("cdi-config-dir");
}

void read_cache_mounts(const Arguments& arguments,
                       builder::BuildRequest& request) {
  for (const std::string& text : arguments.values("cache-mount")) {
    std::string id, directory;
    for (const std::string& field : split(text, ',')) {
      const auto [key, value] = cut(field);
      if (value && key == "id")
        id = *value;
      else if (value && key == "dir")
        directory = *value;
      else
        refuse_value("cache-mount", text, "want id=ID,dir=DIR");
    }
    if (id.empty() || directory.empty())
      refuse_value("cache-mount", text, "want id=ID,dir=DIR");
    request.cache_directories[id] = directory;
  }
}

void read_certificates(const Arguments& arguments,
                       builder::BuildRequest& request) {
  for (const std::string& path : arguments.values("ca-cert")) {
    std::string text = read_file(path).value_or("");
    if (text.find("-----BEGIN CERTIFICATE-----") == std::string::npos)
      refuse_value("ca-cert", path, "no certificate in PEM is there");
    if (!text.ends_with('\n')) text += '\n';
    request.ca_certificates += text;
  }
}

}  // namespace

void read_run_flags(const Arguments& arguments,
                    builder::BuildRequest& request) {
  read_network(arguments, request);
  read_hosts(arguments, request);
  read_limits(arguments, request);
  read_allowed(arguments, request);
  read_ssh(arguments, request);
  read_cache_mounts(arguments, request);
  read_certificates(arguments, request);
  request.refuse_secrets = arguments.has("refuse-secrets");
  const std::string on_fail = arguments.value("on-fail", "discard");
  request.keep_failed = on_fail == "keep" || on_fail == "shell";
  if (!request.keep_failed && on_fail != "discard")
    refuse_value("on-fail", on_fail, "want discard, keep or shell");
  if (!arguments.has("shm-size")) return;
  const std::string text = arguments.value("shm-size");
  const auto bytes = parse_bytes(text);
  if (!bytes) refuse_value("shm-size", text, "want bytes, such as 64m");
  request.shm_size = *bytes;
}

}  // namespace cbuild::cli
