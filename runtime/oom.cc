#include "runtime/oom.h"

#include <unistd.h>

#include <optional>

#include "base/dir.h"
#include "base/text.h"

namespace cbuild::runtime {
namespace {

// The number after `oom_kill` and a blank at the start of a line.
std::optional<std::uint64_t> oom_kills(const std::string& text) {
  constexpr std::string_view key = "oom_kill ";
  for (const std::string& line : split(text, '\n'))
    if (line.starts_with(key))
      return parse_number(trim(std::string_view(line).substr(key.size())));
  return std::nullopt;
}

// Lines of /proc/self/cgroup are "id:controllers:path"; no controllers is
// version 2.
std::string file_of_cgroup(const std::string& line) {
  const std::vector<std::string> fields = split(line, ':');
  if (fields.size() < 3) return "";
  const std::string path = line.substr(fields[0].size() + fields[1].size() + 2);
  const std::string root = "/sys/fs/cgroup";
  if (fields[1].empty()) return root + path + "/memory.events";
  for (const std::string& controller : split(fields[1], ','))
    if (controller == "memory")
      return root + "/memory" + path + "/memory.oom_control";
  return "";
}

std::string find_counter() {
  std::string found = "/proc/vmstat";
  const std::string cgroups = read_file("/proc/self/cgroup").value_or("");
  for (const std::string& line : split(cgroups, '\n')) {
    const std::string file = file_of_cgroup(line);
    if (!file.empty() && ::access(file.c_str(), R_OK) == 0) found = file;
  }
  return found;
}

}  // namespace

std::uint64_t out_of_memory_kills() {
  static const std::string file = find_counter();
  return oom_kills(read_file(file).value_or("")).value_or(0);
}

}  // namespace cbuild::runtime
