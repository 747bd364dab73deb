#include "runtime/command.h"

#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace cbuild::runtime {
namespace {

constexpr const char* kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// Go's error texts start in lower case.
std::string reason(int error) { return to_lower(std::strerror(error)); }

}  // namespace

std::string env_value(const std::vector<std::string>& env,
                      const std::string& name) {
  const std::string prefix = name + "=";
  for (auto entry = env.rbegin(); entry != env.rend(); ++entry)
    if (entry->starts_with(prefix)) return entry->substr(prefix.size());
  return "";
}

std::vector<std::string> program_candidates(const RunSpec& spec) {
  const std::string& program = spec.argv.at(0);
  if (program.find('/') != std::string::npos) return {program};
  std::string path = env_value(spec.env, "PATH");
  if (path.empty()) path = kDefaultPath;
  std::vector<std::string> candidates;
  for (const std::string& directory : split(path, ':'))
    if (directory.starts_with("/") && !program.empty())
      candidates.push_back(directory + "/" + program);
  return candidates;
}

std::vector<std::string> with_home(std::vector<std::string> env,
                                   const std::string& home) {
  if (!env_value(env, "HOME").empty()) return env;
  std::erase_if(
      env, [](const std::string& entry) { return entry.starts_with("HOME="); });
  env.push_back("HOME=" + home);
  return env;
}

ExecProblem explain_missing(const std::string& program, int error) {
  const std::string start = "exec: " + go_quote(program) + ": ";
  if (program.find('/') == std::string::npos)
    return {start + "executable file not found in $PATH", 127};
  if (error == EACCES || error == EISDIR) return {start + reason(error), 126};
  return {start + "stat " + program + ": " + reason(error), 127};
}

ExecProblem explain_failed_exec(const std::string& path, int error) {
  // ENOENT: the file is there, but the interpreter it names is not.
  return {"exec " + path + ": " + reason(error), error == ENOENT ? 127 : 126};
}

std::vector<char*> c_strings(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings)
    pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace cbuild::runtime
