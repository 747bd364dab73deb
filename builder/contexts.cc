#include "builder/contexts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/text.h"

namespace cbuild::builder {
namespace {

constexpr std::string_view kImageScheme = "docker-image://";

bool is_directory(const std::string& path) {
  struct stat st;
  return ::stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

constexpr const char* kIgnoreFile = ".dockerignore";

// How the client matches a named context: familiar, without :latest.
std::string context_key(const std::string& name) {
  const auto reference = registry::Reference::try_parse(name);
  if (!reference) return name;
  std::string key = reference->familiar();
  constexpr std::string_view latest = ":latest";
  if (key.size() > latest.size() &&
      key.compare(key.size() - latest.size(), latest.size(), latest) == 0)
    key.resize(key.size() - latest.size());
  return key;
}

bool has_scheme(const std::string& value) {
  return value.find("://") != std::string::npos ||
         value.rfind("git@", 0) == 0 || value.rfind("target:", 0) == 0;
}

void check_context_value(const std::string& name, const std::string& value) {
  if (value.rfind(kImageScheme, 0) == 0) return;
  if (has_scheme(value))
    throw UsageError("--build-context " + name + "=" + value +
                     ": only directories and docker-image:// are supported");
  if (!is_directory(value))
    throw UsageError("failed to get build context path: " + value +
                     ": no such directory");
}

}  // namespace

DockerfileText read_dockerfile(const BuildRequest& request) {
  if (request.dockerfile_text)
    return {"Dockerfile", "", *request.dockerfile_text};
  std::vector<std::string> candidates = {request.dockerfile};
  if (request.dockerfile.empty())
    candidates = {request.context_dir + "/Dockerfile",
                  request.context_dir + "/dockerfile"};
  for (const std::string& path : candidates) {
    if (is_directory(path))
      throw UsageError("failed to read dockerfile: " + path +
                       " is a directory");
    if (auto text = read_file(path)) {
      const std::size_t slash = path.rfind('/');
      const std::string base =
          slash == std::string::npos ? path : path.substr(slash + 1);
      return {request.dockerfile.empty() ? base : path, path, std::move(*text)};
    }
  }
  throw UsageError("failed to read dockerfile: open " + candidates.front() +
                   ": no such file or directory");
}

Contexts::Contexts(const BuildRequest& request,
                   const DockerfileText& dockerfile,
                   const std::string& stat_table_dir)
    : directory_(request.context_dir),
      dockerfile_path_(dockerfile.path),
      mode_(request.context_mode),
      stat_table_dir_(stat_table_dir) {
  if (!is_directory(directory_))
    throw UsageError("unable to prepare context: path " + go_quote(directory_) +
                     " not found");
  for (const auto& [name, value] : request.build_contexts) {
    check_context_value(name, value);
    named_[context_key(name)] = value;
  }
}

// None where there is no such file; a directory of that name is none.
Contexts::Ignore Contexts::read_ignore(const std::string& path,
                                       const std::string& name) {
  Ignore ignore;
  const auto text = is_directory(path) ? std::nullopt : read_file(path);
  parser::IgnoreFile file = parser::read_ignore_lines(text.value_or(""));
  ignore.patterns = std::move(file.patterns);
  for (const std::size_t line : file.lines)
    ignore.places.push_back(name + ":" + std::to_string(line));
  return ignore;
}

const Contexts::Ignore& Contexts::main_ignore() {
  if (main_ignore_) return *main_ignore_;
  const std::string own = dockerfile_path_ + kIgnoreFile;
  // It takes the other's place even where it is empty.
  const bool has_own = !dockerfile_path_.empty() && !is_directory(own) &&
                       ::access(own.c_str(), F_OK) == 0;
  main_ignore_ = has_own
                     ? read_ignore(own, own.substr(own.rfind('/') + 1))
                     : read_ignore(directory_ + "/" + kIgnoreFile, kIgnoreFile);
  return *main_ignore_;
}

FileOrigin Contexts::main() { return open(directory_, main_ignore()); }

FileOrigin Contexts::open(const std::string& directory, const Ignore& ignore) {
  FileOrigin& origin = opened_[directory];
  if (!origin.context) {
    origin.context = std::make_shared<FileView>(FileView::of_directory(
        directory, parser::IgnoreMatcher(ignore.patterns), stat_table_dir_,
        ignore.places, mode_));
    origin.context_dir = directory;
  }
  return origin;
}

const std::string* Contexts::find(const std::string& name) const {
  if (equals_ignore_case(name, "scratch") ||
      equals_ignore_case(name, "context"))
    return nullptr;
  const auto found = named_.find(context_key(name));
  return found == named_.end() ? nullptr : &found->second;
}

std::optional<FileOrigin> Contexts::directory(const std::string& name) {
  const std::string* value = find(name);
  if (value == nullptr || value->rfind(kImageScheme, 0) == 0)
    return std::nullopt;
  return open(*value, read_ignore(*value + "/" + kIgnoreFile,
                                  name + "'s " + kIgnoreFile));
}

std::optional<std::string> Contexts::image(const std::string& name) const {
  const std::string* value = find(name);
  if (value == nullptr || value->rfind(kImageScheme, 0) != 0)
    return std::nullopt;
  return value->substr(kImageScheme.size());
}

std::set<std::string> Contexts::names() const {
  std::set<std::string> names;
  for (const auto& entry : named_) names.insert(to_lower(entry.first));
  return names;
}

void Contexts::save() const {
  for (const auto& entry : opened_)
    if (entry.second.context) entry.second.context->save_stat_table();
}

}  // namespace cbuild::builder
