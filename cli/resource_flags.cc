// --memory, --cpus and others of docker, and buildx's --resource name=value.
#include <cmath>
#include <cstdlib>

#include "base/text.h"
#include "cli/run_flags.h"
#include "cli/values.h"

namespace cbuild::cli {
namespace {

using runtime::Resources;

std::uint64_t bytes_of(const std::string& flag, const std::string& text) {
  const auto bytes = parse_bytes(text);
  if (!bytes || *bytes == 0)
    refuse_value(flag, text, "want bytes, such as 512m");
  return *bytes;
}

std::uint64_t number_of(const std::string& flag, const std::string& text) {
  const auto number = parse_number(text);
  if (!number || *number == 0 || *number > 1ull << 40)
    refuse_value(flag, text, "want a number of 1 or more");
  return *number;
}

std::int64_t or_unlimited(const std::string& flag, const std::string& text) {
  return text == "-1" ? -1 : static_cast<std::int64_t>(number_of(flag, text));
}

// "0-2,5": what the kernel takes (cpuset(7), "List format").
const std::string& list_of(const std::string& flag, const std::string& text) {
  if (text.empty() ||
      text.find_first_not_of("0123456789-,") != std::string::npos)
    refuse_value(flag, text, "want numbers and ranges, such as 0-2,5");
  return text;
}

void set_cpus(Resources& resources, const std::string& flag,
              const std::string& text) {
  char* end = nullptr;
  const double cpus = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(cpus >= 0.01) || cpus > 65536)
    refuse_value(flag, text, "want a number of processors, such as 1.5");
  resources.cpu_period = 100000;
  resources.cpu_quota = std::llround(cpus * 100000);
}

void set_shares(Resources& resources, const std::string& flag,
                const std::string& text) {
  resources.cpu_shares = number_of(flag, text);
  if (resources.cpu_shares == 1 || resources.cpu_shares > 262144)
    refuse_value(flag, text, "want 2 to 262144");
}

struct Name {
  const char* name;
  void (*set)(Resources& resources, const std::string& flag,
              const std::string& text);
};

using Text = const std::string&;

constexpr Name kNames[] = {
    {"memory", [](Resources& r, Text flag,
                  Text text) { r.memory = bytes_of(flag, text); }},
    {"memory-swap",
     [](Resources& r, Text flag, Text text) {
       r.memory_swap =
           text == "-1" ? -1 : static_cast<std::int64_t>(bytes_of(flag, text));
     }},
    {"cpu-shares", set_shares},
    {"cpu-period", [](Resources& r, Text flag,
                      Text text) { r.cpu_period = number_of(flag, text); }},
    {"cpu-quota", [](Resources& r, Text flag,
                     Text text) { r.cpu_quota = or_unlimited(flag, text); }},
    {"cpuset-cpus", [](Resources& r, Text flag,
                       Text text) { r.cpuset_cpus = list_of(flag, text); }},
    {"cpuset-mems", [](Resources& r, Text flag,
                       Text text) { r.cpuset_mems = list_of(flag, text); }},
    {"pids-limit", [](Resources& r, Text flag,
                      Text text) { r.pids = or_unlimited(flag, text); }},
    {"cpus", set_cpus},
};

void set_one(Resources& resources, const std::string& name, Text text) {
  for (const Name& row : kNames)
    if (name == row.name) return row.set(resources, "resource", text);
  std::vector<std::string> names;
  for (const Name& row : kNames) names.emplace_back(row.name);
  refuse_value("resource", name + "=" + text,
               "unknown resource" + did_you_mean(name, names));
}

void check(const Arguments& arguments, const Resources& r) {
  if (arguments.has("cpus") &&
      (arguments.has("cpu-quota") || arguments.has("cpu-period")))
    throw UsageError("--cpus says the same as --cpu-quota and --cpu-period");
  if (r.memory_swap > 0 && static_cast<std::uint64_t>(r.memory_swap) < r.memory)
    throw UsageError(
        "--memory-swap is memory and swap: it cannot be less than --memory");
}

}  // namespace

runtime::RunnerOptions runner_options(const Arguments& arguments) {
  runtime::RunnerOptions options;
  for (const std::string& text : arguments.values("resource"))
    for (const std::string& field : split(text, ',')) {
      const auto [name, value] = cut(field);
      if (!value) refuse_value("resource", text, "want NAME=VALUE");
      set_one(options.resources, name, *value);
    }
  for (const Name& row : kNames)
    if (arguments.has(row.name))
      row.set(options.resources, row.name, arguments.value(row.name));
  check(arguments, options.resources);
  options.cgroup_parent = arguments.value("cgroup-parent");
  return options;
}

}  // namespace cbuild::cli
