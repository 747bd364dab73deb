#include "builder/contexts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/dir.h"
#include "base/text.h"

namespace cbuild::builder {
namespace {

void check_context(const std::string& context) {
  struct stat st;
  const bool found = ::stat(context.c_str(), &st) == 0;
  if (context.empty() || (found && S_ISDIR(st.st_mode))) return;
  if (found)
    throw UsageError("unable to prepare context: " + context +
                     " is not a directory");
  bool remote = false;
  try {
    remote = is_remote(context);
  } catch (const Error& e) {
    throw UsageError("invalid git context " + context + ": " + e.what());
  }
  if (!remote)
    throw UsageError("unable to prepare context: path " + go_quote(context) +
                     " not found");
}

}  // namespace

Contexts::Contexts(const BuildRequest& request, PlanEnvironment& environment,
                   RemoteSources& remotes)
    : request_(request), environment_(environment), remotes_(remotes) {
  if (!request.context_stream) check_context(request.context);
  for (const auto& [name, value] : request.build_contexts)
    named_[context_key(name)] = NamedContext::parse(name, value);
}

const DockerfileText& Contexts::dockerfile() {
  if (dockerfile_) return *dockerfile_;
  const bool local = request_.dockerfile.starts_with('/');
  if (request_.dockerfile_text) {
    dockerfile_ = read_local_dockerfile(request_);
  } else if (is_web_url(request_.dockerfile)) {
    const RemoteTree tree = remotes_.fetch(
        WebFile{request_.dockerfile, "Dockerfile", std::nullopt});
    dockerfile_ = {"Dockerfile", "",
                   read_file(tree.directory + "/" + tree.path).value_or("")};
  } else if (const RemoteContext* remote = local ? nullptr : remote_main()) {
    dockerfile_ = read_remote_dockerfile(*remote);
  } else {
    dockerfile_ = read_local_dockerfile(request_);
  }
  return *dockerfile_;
}

// A link in it leads nowhere but into it.
DockerfileText Contexts::read_remote_dockerfile(
    const RemoteContext& remote) const {
  const Fd root = open_path(remote.directory, O_RDONLY | O_DIRECTORY);
  auto paths = dockerfile_paths(request_, "");
  if (!remote.file.empty()) paths = {remote.file};
  for (const std::string& path : paths) {
    const auto file = try_open_in_root(root.get(), path, O_RDONLY | O_NONBLOCK);
    if (!file) continue;
    struct stat st;
    check(::fstat(file->get(), &st), "stat", path);
    if (!S_ISREG(st.st_mode))
      throw UsageError("failed to read dockerfile: " + path +
                       " is not a regular file");
    return {path, "", read_all(file->get(), path)};
  }
  throw_no_dockerfile(paths.front());
}

// nullptr where the context is a directory of the user's, or empty.
const RemoteContext* Contexts::remote_main() {
  const auto found = fetched_.find("");
  if (found != fetched_.end()) return &found->second;
  if (request_.context_stream)
    return &fetched_
                .emplace("",
                         read_context(*request_.context_stream, environment_))
                .first->second;
  if (request_.context.empty() || is_directory(request_.context))
    return nullptr;
  return &fetched_
              .emplace("", fetch_context(request_.context, true, request_,
                                         environment_, remotes_))
              .first->second;
}

const RemoteContext& Contexts::fetched(const std::string& value) {
  const auto found = fetched_.find(value);
  if (found != fetched_.end()) return found->second;
  return fetched_
      .emplace(value,
               fetch_context(value, false, request_, environment_, remotes_))
      .first->second;
}

const IgnoreRules& Contexts::main_ignore() {
  if (!main_ignore_)
    main_ignore_ = remote_main() != nullptr
                       ? IgnoreRules{}
                       : ignore_rules(request_.context, dockerfile().path);
  return *main_ignore_;
}

FileOrigin Contexts::main() {
  if (const RemoteContext* remote = remote_main()) return open(*remote);
  if (request_.context.empty())
    return open(environment_.store.root() + "/layers/empty/tree", "(empty)",
                {});
  return open(request_.context, request_.context, main_ignore());
}

FileOrigin Contexts::open(const std::string& directory, const std::string& name,
                          const IgnoreRules& ignore) {
  FileOrigin& origin = opened_[directory];
  if (!origin.context) {
    origin.context = std::make_shared<FileView>(FileView::of_directory(
        directory, parser::IgnoreMatcher(ignore.patterns),
        environment_.store.root() + "/contexts", ignore.places,
        request_.context_mode));
    origin.context_dir = directory;
    origin.name = name;
  }
  return origin;
}

FileOrigin Contexts::open(const RemoteContext& remote) {
  return open(remote.directory, remote.name, {});
}

const NamedContext* Contexts::find(const std::string& name,
                                   const store::Platform& platform) const {
  if (equals_ignore_case(name, "scratch") ||
      equals_ignore_case(name, "context"))
    return nullptr;
  const std::string key = context_key(name);
  for (const std::string& candidate : {key + "::" + platform.text(), key}) {
    const auto found = named_.find(candidate);
    if (found != named_.end()) return &found->second;
  }
  return nullptr;
}

std::optional<FileOrigin> Contexts::directory(const std::string& name,
                                              const store::Platform& platform) {
  const NamedContext* context = find(name, platform);
  if (context == nullptr) return std::nullopt;
  switch (context->kind) {
    case NamedContext::Kind::image:
      return std::nullopt;
    case NamedContext::Kind::remote:
      return open(fetched(context->value));
    case NamedContext::Kind::directory:
      break;
  }
  const std::string& path = context->value;
  return open(path, path,
              read_ignore(path + "/.dockerignore", name + "'s .dockerignore"));
}

std::optional<NamedImage> Contexts::image(
    const std::string& name, const store::Platform& platform) const {
  const NamedContext* context = find(name, platform);
  if (context == nullptr || context->kind != NamedContext::Kind::image)
    return std::nullopt;
  return context->image;
}

std::set<std::string> Contexts::names() const {
  std::set<std::string> names;
  for (const auto& entry : named_)
    names.insert(to_lower(entry.first.substr(0, entry.first.find("::"))));
  return names;
}

bool Contexts::has(const std::string& name) const {
  return find(name, store::host_platform()) != nullptr;
}

std::optional<std::int64_t> Contexts::time(const std::string& name) {
  const NamedContext* context = find(name, store::host_platform());
  if (context->kind != NamedContext::Kind::remote) return std::nullopt;
  return remotes_.time(*fetched(context->value).source);
}

std::optional<std::int64_t> Contexts::main_time() {
  const RemoteContext* remote = remote_main();
  if (remote == nullptr) return std::nullopt;
  return remote->source ? remotes_.time(*remote->source) : remote->newest;
}

void Contexts::save() const {
  const auto is_temporary = [&](const std::string& directory) {
    for (const auto& entry : fetched_)
      if (entry.second.unpacked && entry.second.directory == directory)
        return true;
    return false;
  };
  for (const auto& [directory, origin] : opened_)
    if (origin.context && !is_temporary(directory))
      origin.context->save_stat_table();
}

}  // namespace cbuild::builder
