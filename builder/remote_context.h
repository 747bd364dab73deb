// A context that is no directory of the user's: an archive on a stream, a git
// repository, or what an http(s) URL gives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/dir.h"
#include "builder/build.h"
#include "builder/remote_sources.h"

namespace cbuild::builder {

struct RemoteContext {
  std::string name;       // as given, for people
  std::string directory;  // holds the files
  // Holds `directory` where that is for this build only: removed with it.
  TempDir unpacked;
  std::optional<RemoteSource> source;  // none: it came on a stream
  // Time of an archive's newest file.
  std::optional<std::int64_t> newest;
  // The only file, where a URL gave something that is no archive.
  std::string file;
};

// Fetches `value`, a git repository or http(s) URL. With `main` an archive is
// unpacked, as for a build context; a named one is a file whatever it holds
// (BuildKit dockerui). Throws registry errors, Error for an archive that
// cannot be read.
RemoteContext fetch_context(const std::string& value, bool main,
                            const BuildRequest& request,
                            PlanEnvironment& environment,
                            RemoteSources& remotes);

// Unpacks an archive, which may be compressed with gzip, bzip2, xz or zstd.
RemoteContext read_context(const ContextStream& stream,
                           PlanEnvironment& environment);

}  // namespace cbuild::builder
