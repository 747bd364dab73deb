// Files from http(s) URLs, kept (builder/web_store.h) and asked for again only
// where they may have changed (BuildKit source/http).
//
// A file with a checksum is fetched only when its content is wanted. Every
// other one is asked about once in a build: HEAD with its ETag, else GET with
// what is known of it. Secrets HTTP_AUTH_HEADER_<host> and
// HTTP_AUTH_TOKEN_<host> are sent to the host, and to no other. Thread-safe.
// Throws registry errors.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "builder/build.h"
#include "builder/remote_source.h"
#include "builder/web_store.h"
#include "registry/web.h"
#include "store/digest.h"

namespace cbuild::builder {

// The last component of the URL's path: what ADD calls the file.
std::string web_file_name(const std::string& url);

// Told when a file is asked for (with 0), while it is on its way, several times
// a second, and when it is here: how many bytes are, and how many there will be
// (0: not known yet).
using FetchProgress =
    std::function<void(std::uint64_t done, std::uint64_t total)>;

class WebFiles {
 public:
  WebFiles(const BuildRequest& request, PlanEnvironment& environment)
      : request_(request),
        environment_(environment),
        store_(environment.store) {}

  // What a step's key says of the file: name, mode, content and time; not the
  // URL. With a checksum nothing is asked for.
  std::string identity(const WebFile& file, const FetchProgress& tell = {});

  struct Fetched {
    std::string directory;                 // holds the file and nothing else
    std::optional<std::int64_t> modified;  // Last-Modified
  };
  // Throws RegistryError where the content is not the checksum's.
  Fetched fetch(const WebFile& file, const FetchProgress& tell = {});

 private:
  // One URL in this build; whoever comes second waits for the first.
  struct Slot {
    std::mutex mutex;
    std::optional<WebCopy> copy;
  };

  WebCopy resolve(const WebFile& file, const FetchProgress& tell);
  WebCopy ask(const WebFile& file, const FetchProgress& tell);
  bool unchanged(const WebFile& file, const WebCopy& known);
  WebCopy download(const WebFile& file, const std::optional<WebCopy>& known,
                   const FetchProgress& tell);
  registry::WebAnswer get(const WebFile& file, registry::WebRequest request,
                          const registry::WebSink& sink);
  std::string authorization(const WebFile& file) const;

  const BuildRequest& request_;
  PlanEnvironment& environment_;
  WebStore store_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Slot>> slots_;  // by URL and name
};

}  // namespace cbuild::builder
