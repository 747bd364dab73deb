// Builds an image from a Dockerfile: the entry point of builder/.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "builder/file_view.h"
#include "builder/progress.h"
#include "builder/ssh_agents.h"
#include "registry/client.h"
#include "registry/reference.h"
#include "registry/web.h"
#include "runtime/runner.h"
#include "store/store.h"

namespace cbuild::registry {
class CacheStorage;
}

namespace cbuild::builder {

// A RUN ended with something else than 0: exit code 3. what() has BuildKit's
// words: process "/bin/sh -c false" did not complete successfully: exit code: 1
class RunFailed : public Error {
 public:
  RunFailed(std::string message, int code, std::string kept = "")
      : Error(std::move(message)), code_(code), kept_(std::move(kept)) {}
  int code() const noexcept { return code_; }
  // The id that `cbuild debug` takes, where its state was kept.
  const std::string& kept() const noexcept { return kept_; }

 private:
  int code_;
  std::string kept_;
};

// A step would have to run that --expect-cached says is cached: exit code 8.
class UnexpectedMiss : public Error {
 public:
  using Error::Error;
};

// How a step ended, and why it had to run.
struct StepReport {
  // skipped: nothing needed its result, since one above it is kept.
  enum class Outcome { cached, rebuilt, skipped, failed, not_reached };
  std::string name;      // "[build 2/5] RUN make"
  std::size_t line = 0;  // of the Dockerfile
  Outcome outcome = Outcome::not_reached;
  std::vector<std::string> reasons;  // rebuilt and failed: the first first
};

struct SecretSource {
  enum class Kind { file, environment } kind = Kind::file;
  std::string value;  // path, or name of the variable
};

// An archive to read the context from, once, front to back.
struct ContextStream {
  int fd = -1;
  std::string start;  // what was read from it already
};

// What to build. Paths are as given on the command line.
struct BuildRequest {
  // A directory, or a git or http(s) URL; empty: an empty context.
  std::string context = ".";
  std::optional<ContextStream> context_stream;  // in place of `context`
  // Path or http(s) URL; empty: Dockerfile or dockerfile in the context.
  std::string dockerfile;
  std::optional<std::string> dockerfile_text;  // in place of a file (-f -)

  std::vector<std::pair<std::string, std::optional<std::string>>> build_args;
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<std::pair<std::string, std::string>> annotations;
  std::map<std::string, std::string> build_contexts;    // --build-context
  ContextMode context_mode = ContextMode::as_they_are;  // of all of them
  std::map<std::string, SecretSource> secrets;
  std::map<std::string, SshSource> ssh;
  std::string target;
  std::optional<store::Platform> platform;
  // Checks to make besides those the Dockerfile asks for, by name.
  std::vector<std::string> experimental_checks;

  std::vector<registry::Reference> tags;  // with tag
  bool no_cache = false;
  std::vector<std::string> no_cache_filter;  // stages
  bool pull = false;
  bool explain = false;  // look for earlier records of every step that runs
  // Fail before a step of these stages runs; empty: of any stage.
  std::optional<std::vector<std::string>> expect_cached;
  bool inline_cache = false;  // put the steps' records into the manifest
  // A cache in which nothing moves for so long is left alone.
  std::chrono::seconds cache_timeout{30};

  // For every RUN, unless it says otherwise.
  std::optional<runtime::NetworkMode> network;
  std::vector<std::pair<std::string, std::string>> extra_hosts;
  std::uint64_t shm_size = 0;  // bytes; 0: the default
  std::vector<runtime::ResourceLimit> limits;
  bool allow_network_host = false;           // --allow network.host
  bool allow_security_insecure = false;      // --allow security.insecure
  bool allow_devices = false;                // --allow device: any
  std::vector<std::string> allowed_devices;  // --allow device=NAME
  std::vector<std::string> cdi_directories = {"/etc/cdi", "/var/run/cdi",
                                              "/etc/buildkit/cdi"};
  std::string ca_certificates;  // PEM: for RUNs, in no layer and no key
  std::map<std::string, std::string> cache_directories;  // --cache-mount, by id
  bool keep_failed = false;     // what a failing RUN left is kept for `debug`
  bool refuse_secrets = false;  // fail where a layer holds a secret's bytes

  unsigned jobs = 0;  // steps at once; 0: as many as there are cores
  store::Compression compression = store::Compression::gzip;
  bool fast_compression = false;
};

// A --cache-from or --cache-to; `max`: the steps of all stages are sent.
struct CachePlace {
  std::shared_ptr<registry::CacheStorage> storage;
  bool max = false;
};

// The outside world, as planning sees it. All outlive the call.
struct PlanEnvironment {
  store::Store& store;
  registry::ImageSource& images;
  registry::WebSource& web;
  ProgressSink& progress;
  const std::atomic<bool>* stop = nullptr;  // true: throw Interrupted
};

// And as the engine sees it.
struct BuildEnvironment : PlanEnvironment {
  runtime::Runner& runner;
  std::vector<CachePlace> cache_from = {};
  std::vector<CachePlace> cache_to = {};
};

struct BuildResult {
  store::Descriptor manifest;
  store::Digest config;  // the image id
  std::size_t executed = 0;
  std::size_t cached = 0;
  std::vector<StepReport> steps;
};

// Builds, stores and tags the image. Throws parser::SyntaxError (located),
// UsageError, RunFailed, registry errors, SystemError; nothing is tagged then,
// and what finished steps made stays in the cache.
BuildResult build(const BuildRequest& request, BuildEnvironment& environment);

}  // namespace cbuild::builder
