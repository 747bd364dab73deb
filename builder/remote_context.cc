#include "builder/remote_context.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "builder/named_context.h"
#include "builder/unpack_archive.h"

namespace cbuild::builder {
namespace {

constexpr std::size_t kLooked = 1024;  // bytes that tell an archive
constexpr const char* kFileName = "context";

std::string build_arg(const BuildRequest& request, const char* name) {
  std::string value;
  for (const auto& [key, given] : request.build_args)
    if (key == name) value = given.value_or("");
  return value;
}

bool is_true(const std::string& text) {
  const std::string word = to_lower(text);
  return word == "1" || word == "t" || word == "true";
}

// Owners do not count in a context, and only root could set them.
void unpack(store::ByteSource source, PlanEnvironment& environment,
            RemoteContext& context) {
  context.unpacked = environment.store.temp_dir("context-");
  context.directory = context.unpacked.path() + "/files";
  check(::mkdir(context.directory.c_str(), 0755), "mkdir", context.directory);
  check(::chmod(context.directory.c_str(), 0755), "chmod", context.directory);
  const Fd root = open_path(context.directory, O_RDONLY | O_DIRECTORY);
  context.newest = in_context("unpack the context", [&] {
    return unpack_stream(std::move(source), root.get(),
                         FileOwner{::geteuid(), ::getegid()}, {});
  });
}

RemoteContext git_context(GitReference git, bool main,
                          const BuildRequest& request, RemoteSources& remotes) {
  if (main) {
    const std::string keep =
        build_arg(request, "BUILDKIT_CONTEXT_KEEP_GIT_DIR");
    if (is_true(keep)) git.keep_git_dir = true;
    // Files of one commit have one time where times are to be reproducible.
    if (!build_arg(request, "SOURCE_DATE_EPOCH").empty())
      git.commit_times = true;
  }
  RemoteContext context;
  context.directory = remotes.fetch(git).directory;
  context.source = std::move(git);
  return context;
}

}  // namespace

RemoteContext fetch_context(const std::string& value, bool main,
                            const BuildRequest& request,
                            PlanEnvironment& environment,
                            RemoteSources& remotes) {
  std::optional<GitReference> git = GitReference::parse(value);
  RemoteContext context;
  if (git) {
    context = git_context(std::move(*git), main, request, remotes);
    context.name = value;
    return context;
  }
  context.name = value;
  const WebFile source{value, kFileName, std::nullopt};
  const RemoteTree tree = remotes.fetch(source);
  context.source = source;
  context.directory = tree.directory;
  context.file = kFileName;
  if (!main) return context;
  const std::string path = tree.directory + "/" + tree.path;
  const Fd file = open_path(path, O_RDONLY);
  std::string start(kLooked, '\0');
  start.resize(store::read_full(store::file_source(file.get(), path),
                                start.data(), start.size()));
  if (!starts_like_archive(start)) return context;
  check(::lseek(file.get(), 0, SEEK_SET), "seek in", path);
  unpack(store::file_source(file.get(), path), environment, context);
  context.file.clear();
  return context;
}

RemoteContext read_context(const ContextStream& stream,
                           PlanEnvironment& environment) {
  RemoteContext context;
  context.name = "-";
  unpack(store::prefixed(stream.start,
                         store::file_source(stream.fd, "the context")),
         environment, context);
  return context;
}

}  // namespace cbuild::builder
