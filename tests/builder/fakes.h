// Stand-ins for the kernel, the registry and the terminal, and a build on them.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/dir.h"
#include "builder/build.h"
#include "parser/source.h"

namespace cbuild::builder::testing {

// Does what `RUN write <name> <text>` says and remembers every command.
class FakeRunner final : public runtime::Runner {
 public:
  runtime::ExitStatus run(const runtime::RunSpec& spec,
                          const runtime::OutputSink& output,
                          const std::atomic<bool>*) override {
    {
      const std::lock_guard lock(mutex_);
      commands.push_back(spec.argv.back());
      specs.push_back(spec);
    }
    const std::string& script = spec.argv.back();
    if (script.rfind("meet ", 0) == 0) meet();
    if (script.rfind("write ", 0) == 0) {
      const std::size_t blank = script.find(' ', 6);
      std::ofstream(spec.root.upper + "/" + script.substr(6, blank - 6))
          << script.substr(blank + 1);
    }
    if (script == "count") {
      std::ofstream(spec.root.upper + "/count") << ++counter;
    }
    output(runtime::Stream::out, "ran " + script + "\n");
    runtime::ExitStatus status;
    if (script.rfind("fail", 0) == 0) status.code = 7;
    return status;
  }
  std::vector<std::string> commands;
  std::vector<runtime::RunSpec> specs;
  int counter = 0;

 private:
  // Waits until two `meet` commands run at once: they can only end together.
  void meet() {
    std::unique_lock lock(mutex_);
    ++meeting_;
    met_.notify_all();
    if (!met_.wait_for(lock, std::chrono::seconds(60),
                       [this] { return meeting_ >= 2; }))
      throw Error("the other step did not run at the same time");
  }

  std::mutex mutex_;
  std::condition_variable met_;
  int meeting_ = 0;
};

class FakeImages final : public registry::ImageSource {
 public:
  store::Image resolve(const registry::Reference& reference,
                       const store::Platform&) override {
    ++asked;
    throw registry::RegistryError(reference.text() + ": not found", 404,
                                  "MANIFEST_UNKNOWN");
  }
  void fetch_layers(const registry::Reference&, const store::Image&) override {
    ++fetched;
  }
  int asked = 0;
  int fetched = 0;
};

// Files of the web, by URL. Knows conditional requests.
class FakeWeb final : public registry::WebSource {
 public:
  struct File {
    std::string content;
    std::string etag;
    std::string last_modified;
    std::string authorization;  // that it wants
  };
  registry::WebAnswer get(const registry::WebRequest& request,
                          const registry::WebSink& sink) override {
    std::this_thread::sleep_for(pause);
    const std::lock_guard lock(mutex_);
    requests.push_back((request.head ? "HEAD " : "GET ") + request.url);
    const auto found = files.find(request.url);
    if (found == files.end()) {
      if (request.head) return {404, "", ""};
      throw registry::RegistryError(request.url + ": 404", 404, "");
    }
    const File& file = found->second;
    if (file.authorization != request.authorization)
      throw registry::CredentialsError(request.url + ": 401");
    const bool same = !request.etag.empty()
                          ? request.etag == file.etag
                          : !request.last_modified.empty() &&
                                request.last_modified == file.last_modified;
    if (same) return {304, file.etag, file.last_modified};
    if (!request.head) sink(0, file.content);
    return {200, file.etag, file.last_modified};
  }
  std::map<std::string, File> files;
  std::vector<std::string> requests;
  std::chrono::milliseconds pause{};  // before each answer

 private:
  std::mutex mutex_;
};

class RecordedProgress final : public ProgressSink {
 public:
  void on(const Event& event) override { events.push_back(event); }
  std::vector<Event> events;
};

// A context, a store and everything around one build.
class World {
 public:
  World()
      : directory_("/tmp", "cbuild-test-"),
        context(directory_.path() + "/context"),
        store_(directory_.path() + "/store") {
    make_dirs(context);
  }

  void file(const std::string& path, const std::string& text) {
    const std::size_t slash = path.rfind('/');
    if (slash != std::string::npos)
      make_dirs(context + "/" + path.substr(0, slash));
    std::ofstream(context + "/" + path) << text;
  }

  BuildResult build(const std::string& dockerfile) {
    BuildRequest r = request;
    r.context = context;
    r.dockerfile_text = dockerfile;
    runner.commands.clear();
    runner.specs.clear();
    progress.events.clear();
    web.requests.clear();
    BuildEnvironment environment{
        {store_, images, web, progress}, runner, cache_from, cache_to};
    return builder::build(r, environment);
  }

  store::ImageConfig config(const BuildResult& result) {
    return store_.images.load(result.manifest).config;
  }
  std::vector<std::string> created_by(const BuildResult& result) {
    std::vector<std::string> texts;
    for (const auto& entry : config(result).history)
      texts.push_back(entry.created_by);
    return texts;
  }
  store::Store& store() { return store_; }

 private:
  TempDir directory_;

 public:
  std::string context;
  BuildRequest request;
  FakeRunner runner;
  FakeImages images;
  FakeWeb web;
  RecordedProgress progress;
  std::vector<CachePlace> cache_from;
  std::vector<CachePlace> cache_to;

 private:
  store::Store store_;
};

}  // namespace cbuild::builder::testing
