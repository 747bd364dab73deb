// The build context and the named ones (--build-context), and the Dockerfile.
//
// Opened when first asked for; a Dockerfile without COPY never looks at a
// context that is a directory. What comes from the network or as an archive is
// only read (builder/remote_context.h), and no ignore file counts in it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "builder/build.h"
#include "builder/file_view.h"
#include "builder/local_context.h"
#include "builder/named_context.h"
#include "builder/plan.h"
#include "builder/remote_context.h"
#include "builder/remote_sources.h"

namespace cbuild::builder {

class Contexts {
 public:
  // Throws UsageError for a directory that is none and for values of
  // --build-context that stand for nothing.
  Contexts(const BuildRequest& request, PlanEnvironment& environment,
           RemoteSources& remotes);

  // `-f`, else Dockerfile, else dockerfile in the context. Throws UsageError.
  const DockerfileText& dockerfile();

  // The build context with its ignore file: <Dockerfile>.dockerignore, else
  // <context>/.dockerignore.
  FileOrigin main();

  // The ignore patterns of the build context.
  const IgnoreRules& main_ignore();

  // A named context that is a directory here by now, or nullopt. `name` is a
  // stage's or an image's; images are compared in their familiar form without
  // :latest, first with "::platform".
  std::optional<FileOrigin> directory(const std::string& name,
                                      const store::Platform& platform);
  // The image a named context stands for, or nullopt.
  std::optional<NamedImage> image(const std::string& name,
                                  const store::Platform& platform) const;

  // Names in lower case, for the stage graph.
  std::set<std::string> names() const;

  // Whether there is a named context of this name.
  bool has(const std::string& name) const;
  // When it was made, for SOURCE_DATE_EPOCH; nullopt where nothing tells.
  std::optional<std::int64_t> time(const std::string& name);
  std::optional<std::int64_t> time(const RemoteSource& source) {
    return remotes_.time(source);
  }
  std::optional<std::int64_t> main_time();

  // Writes the stat tables of the contexts that were looked at.
  void save() const;

 private:
  FileOrigin open(const std::string& directory, const std::string& name,
                  const IgnoreRules& ignore);
  FileOrigin open(const RemoteContext& remote);
  const RemoteContext* remote_main();
  const RemoteContext& fetched(const std::string& value);
  DockerfileText read_remote_dockerfile(const RemoteContext& remote) const;
  const NamedContext* find(const std::string& name,
                           const store::Platform& platform) const;

  const BuildRequest& request_;
  PlanEnvironment& environment_;
  RemoteSources& remotes_;
  std::map<std::string, NamedContext> named_;
  std::map<std::string, RemoteContext> fetched_;  // by value, "" for main
  std::map<std::string, FileOrigin> opened_;
  std::optional<DockerfileText> dockerfile_;
  std::optional<IgnoreRules> main_ignore_;
};

// All that a build reads. The lease keeps it from prune.
struct BuildSources {
  BuildSources(const BuildRequest& request, PlanEnvironment& environment)
      : lease(environment.store.lease()),
        remotes(request, environment),
        contexts(request, environment, remotes),
        file(contexts.dockerfile()) {}

  store::Lease lease;
  RemoteSources remotes;
  Contexts contexts;
  const DockerfileText& file;
};

}  // namespace cbuild::builder
