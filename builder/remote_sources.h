// What the network gives to a build: says what a remote source is without
// fetching it, where that can be said, and fetches it when it is wanted.
//
// Thread-safe. Each source is asked for once in a build, so that all steps see
// the same. Throws registry errors.
#pragma once

#include <optional>
#include <string>

#include "base/dir.h"
#include "base/fd.h"
#include "builder/file_view.h"
#include "builder/git_repositories.h"
#include "builder/remote_source.h"
#include "builder/reporter.h"
#include "builder/web_files.h"

namespace cbuild::builder {

// A source that was fetched. Its files stay as long as this and the store's
// lease are held.
struct RemoteTree {
  std::string directory;
  std::string path;  // of what was asked for, in `directory`; "": all of it
};

class RemoteSources {
 public:
  RemoteSources(const BuildRequest& request, PlanEnvironment& environment)
      : web_(request, environment), git_(request, environment) {}

  // For a step's key: the same text, the same files.
  std::string identity(const RemoteSource& source,
                       const FetchProgress& tell = {});
  RemoteTree fetch(const RemoteSource& source, const FetchProgress& tell = {});
  // When it was made: a commit's time, Last-Modified, else that of an archive's
  // newest file. Seconds since the epoch.
  std::optional<std::int64_t> time(const RemoteSource& source);

 private:
  WebFiles web_;
  GitRepositories git_;
};

// Shows the fetching of `source` as the step's.
FetchProgress fetch_progress(Reporter& reporter, StepId id,
                             const RemoteSource& source);

// The files of a fetched source, as they are: nothing is excluded.
FileView view_of(const RemoteTree& tree);

}  // namespace cbuild::builder
