#include "builder/local_context.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "parser/ignore.h"

namespace cbuild::builder {
namespace {

constexpr const char* kIgnoreFile = ".dockerignore";

}  // namespace

bool is_directory(const std::string& path) {
  struct stat st;
  return ::stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

void throw_no_dockerfile(const std::string& path) {
  throw UsageError("failed to read dockerfile: open " + path +
                   ": no such file or directory");
}

std::vector<std::string> dockerfile_paths(const BuildRequest& request,
                                          const std::string& directory) {
  if (!request.dockerfile.empty()) return {request.dockerfile};
  return {directory + "Dockerfile", directory + "dockerfile"};
}

DockerfileText read_local_dockerfile(const BuildRequest& request) {
  if (request.dockerfile_text)
    return {"Dockerfile", "", *request.dockerfile_text};
  const auto paths = dockerfile_paths(request, request.context + "/");
  for (const std::string& path : paths) {
    if (is_directory(path))
      throw UsageError("failed to read dockerfile: " + path +
                       " is a directory");
    if (auto text = read_file(path)) {
      const std::string base = path.substr(path.rfind('/') + 1);
      return {request.dockerfile.empty() ? base : path, path, std::move(*text)};
    }
  }
  throw_no_dockerfile(paths.front());
}

IgnoreRules read_ignore(const std::string& path, const std::string& name) {
  IgnoreRules rules;
  const auto text = is_directory(path) ? std::nullopt : read_file(path);
  parser::IgnoreFile file = parser::read_ignore_lines(text.value_or(""));
  rules.patterns = std::move(file.patterns);
  for (const std::size_t line : file.lines)
    rules.places.push_back(name + ":" + std::to_string(line));
  return rules;
}

IgnoreRules ignore_rules(const std::string& directory,
                         const std::string& dockerfile_path) {
  const std::string own = dockerfile_path + kIgnoreFile;
  // It takes the other's place even where it is empty.
  if (!dockerfile_path.empty() && !is_directory(own) &&
      ::access(own.c_str(), F_OK) == 0)
    return read_ignore(own, own.substr(own.rfind('/') + 1));
  if (directory.empty()) return {};
  return read_ignore(directory + "/" + kIgnoreFile, kIgnoreFile);
}

}  // namespace cbuild::builder
