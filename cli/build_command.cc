// cbuild build: from flags to an image.
#include <cstdlib>

#include "base/dir.h"
#include "base/text.h"
#include "builder/build.h"
#include "cli/build_flags.h"
#include "cli/build_log.h"
#include "cli/cache_flags.h"
#include "cli/call.h"
#include "cli/command.h"
#include "cli/debug_command.h"
#include "cli/explanation.h"
#include "cli/graph_command.h"
#include "cli/metadata_file.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/registry_images.h"
#include "cli/result_file.h"
#include "cli/run_flags.h"
#include "cli/values.h"
#include "registry/url.h"
#include "registry/web_client.h"
#include "store/damage.h"
#include "store/prune.h"
#include "store/usage.h"

namespace cbuild::cli {
namespace {

void write_text(const std::string& path, const std::string& text) {
  write_result_file(path, [&](int fd) { write_all(fd, text, path); });
}

void push_tags(Session& session, const builder::BuildRequest& request,
               const builder::BuildResult& result, Renderer& renderer) {
  store::Store& store = session.store();
  registry::Client client(session.client_options());
  const store::Image image = store.images.load(result.manifest);
  for (const registry::Reference& tag : request.tags) {
    const std::string name = tag.familiar();
    const store::Digest digest = client.push(
        store, image, tag, [&](const registry::TransferProgress& progress) {
          renderer.transfer(name, progress);
        });
    renderer.on(
        builder::MessageEvent{false, "pushed " + name + "@" + digest.text()});
  }
}

std::vector<std::string> familiar_names(const builder::BuildRequest& request) {
  std::vector<std::string> names;
  for (const registry::Reference& tag : request.tags)
    names.push_back(tag.familiar());
  return names;
}

// For places in it; the one that is looked for first where none was given.
std::string dockerfile_name(const builder::BuildRequest& request) {
  if (!request.dockerfile.empty()) return request.dockerfile;
  return request.context == "." ? "Dockerfile"
                                : request.context + "/Dockerfile";
}

// --store-max or CBUILD_STORE_MAX.
std::optional<std::uint64_t> store_cap(Session& session) {
  const Arguments& args = session.args();
  if (args.has("store-max"))
    return space_of("store-max", args.value("store-max"), session.store());
  const char* cap = std::getenv("CBUILD_STORE_MAX");
  if (cap == nullptr || *cap == '\0') return std::nullopt;
  return space_of("store-max (CBUILD_STORE_MAX)", cap, session.store());
}

void keep_below(std::uint64_t cap, store::Store& store,
                const builder::BuildResult& result, Renderer& renderer) {
  const auto report = store::enforce_cap(store, cap, result.manifest.digest);
  if (!report) return;
  const std::uint64_t size = store::total_bytes(store);
  renderer.on(builder::MessageEvent{
      size > cap, "pruned " + short_size(report->bytes) + ": the store has " +
                      short_size(size) + " now, its limit is " +
                      short_size(cap)});
}

// "sha256:0123456789ab is app:latest, app:1".
std::string names_text(const builder::BuildRequest& request,
                       const builder::BuildResult& result) {
  const std::vector<std::string> names = familiar_names(request);
  return "image " + result.config.short_text() +
         (names.empty() ? " has no name" : " is " + join(names, ", "));
}

void write_results(Session& session, const builder::BuildRequest& request,
                   const builder::BuildResult& result) {
  const Arguments& args = session.args();
  if (args.has("iidfile"))
    write_text(args.value("iidfile"), result.config.text());
  if (args.has("metadata-file")) {
    const store::Image image = session.store().images.load(result.manifest);
    write_text(args.value("metadata-file"),
               metadata_json(request, result, image.config.created));
  }
}

// Puts the terminal in order however the build ends.
class Finisher {
 public:
  explicit Finisher(Renderer& renderer) : renderer_(renderer) {}
  ~Finisher() { renderer_.finish(); }
  Finisher(const Finisher&) = delete;
  Finisher& operator=(const Finisher&) = delete;

 private:
  Renderer& renderer_;
};

// What the store finds damaged is said between the steps, not over them.
class DamageToProgress {
 public:
  explicit DamageToProgress(Renderer& renderer)
      : before_(store::on_damage([&](const std::string& sentence) {
          renderer.on(builder::MessageEvent{true, sentence});
        })) {}
  ~DamageToProgress() { store::on_damage(std::move(before_)); }
  DamageToProgress(const DamageToProgress&) = delete;
  DamageToProgress& operator=(const DamageToProgress&) = delete;

 private:
  store::DamageHandler before_;
};

// Goes into a failed RUN at once.
void enter_failed(Session& session, const builder::BuildRequest& request,
                  const builder::RunFailed& failure, Renderer& renderer) {
  renderer.finish();
  print_error(failure.what());
  builder::DebugRequest shell;
  shell.secrets = request.secrets;
  shell.ssh = request.ssh;
  try {
    debug(session, failure.kept(), std::move(shell));
  } catch (const builder::RunFailed&) {
    // The exit code of the shell says nothing about the build.
  }
  builder::remove_failed(session.store(), failure.kept());
}

// A failing RUN that is kept says how to get there, or --on-fail=shell goes
// there at once.
builder::BuildResult build(Session& session,
                           const builder::BuildRequest& request,
                           builder::BuildEnvironment& environment,
                           Renderer& renderer) {
  try {
    return builder::build(request, environment);
  } catch (const builder::RunFailed& e) {
    if (e.kept().empty()) throw;
    if (session.args().value("on-fail") != "shell")
      throw builder::RunFailed(e.what() + ("\nkept: cbuild debug " + e.kept()),
                               e.code(), e.kept());
    enter_failed(session, request, e, renderer);
    throw;
  }
}

// Builds, pushes and writes result files. Until then nobody may prune the
// image: another build may take its name.
builder::BuildResult deliver(Session& session,
                             const builder::BuildRequest& request,
                             builder::BuildEnvironment& environment,
                             BuildLog& log) {
  const Arguments& args = session.args();
  const store::Lease lease = session.store().lease();
  try {
    builder::BuildResult result = build(session, request, environment, log);
    log.built(result.config.text(), familiar_names(request));
    if (request.explain)
      log.on(builder::MessageEvent{false, explanation(result.steps, false)});
    log.on(builder::MessageEvent{false, names_text(request, result)});
    if (args.has("push")) push_tags(session, request, result, log);
    write_results(session, request, result);
    if (args.has("quiet")) print(result.config.text() + "\n");
    return result;
  } catch (const Error& e) {
    log.failed(e.what(), dynamic_cast<const Interrupted*>(&e) != nullptr);
    throw;
  }
}

void run_build(Session& session) {
  const Arguments& args = session.args();
  builder::BuildRequest request = build_request(args);
  if (args.has("print")) {
    print(printed(session, request, args.value("print")));
    return;
  }
  if (const auto call = read_call(args)) {
    run_call(session, request, *call);
    return;
  }
  if (args.has("push") && request.tags.empty())
    throw UsageError("tag is needed when pushing to registry: give --tag");
  store::Store& store = session.store();
  const std::optional<std::uint64_t> cap = store_cap(session);
  const auto shown =
      make_renderer(progress_kind(args.value("progress"), args.has("quiet")),
                    dockerfile_name(request));
  // A URL without what may be a password in it.
  const auto url = registry::Url::parse(request.context);
  const auto renderer = std::make_unique<BuildLog>(
      store, *shown, url ? url->redacted() : request.context);
  runtime::RunnerOptions options = runner_options(args);
  options.scratch = [&store] { return store.temp_dir("view-"); };
  const auto runner = runtime::make_runner(
      session.isolation(), store.root() + "/locks", std::move(options));
  RegistryImages images(store, session.client_options(), *renderer);
  registry::WebClient web(session.client_options());
  builder::BuildEnvironment environment{
      {store, images, web, *renderer, session.stop()}, *runner};
  read_cache_flags(session, request, environment.cache_from,
                   environment.cache_to);
  const Finisher finisher(*renderer);
  const DamageToProgress damage(*renderer);
  if (const std::string& text = session.isolation().text; !text.empty())
    renderer->on(builder::MessageEvent{false, text});
  const builder::BuildResult result =
      deliver(session, request, environment, *renderer);
  if (cap && result.executed != 0) keep_below(*cap, store, result, *renderer);
}

}  // namespace

const Command kBuildCommand = {
    "build",
    "[OPTIONS] CONTEXT",
    "Build an image from a Dockerfile",
    R"(CONTEXT is a directory; only files in it can be copied, without those that
FILE.dockerignore or CONTEXT/.dockerignore excludes. Or it is a git repository
(https://host/x.git#ref:directory, git@host:x), an http(s) URL of an archive or
of a Dockerfile, or - for either on standard input; there FILE is in it, and no
ignore file counts. Archives: tar, plain or with gzip, bzip2, xz or zstd.

WHERE of --build-context is a directory, a git repository, an http(s) URL of a
file (it is called "context"), docker-image://NAME or
oci-layout://DIRECTORY[:TAG][@DIGEST].

Secrets HTTP_AUTH_TOKEN_host, HTTP_AUTH_HEADER_host, GIT_AUTH_TOKEN[.host] and
GIT_AUTH_HEADER[.host] are sent to URLs and repositories of that host.

Examples:
  cbuild -t app .
  cbuild build -t app -f docker/Dockerfile --target test .
  cbuild -t app --build-arg VERSION=1.2 --secret id=token,env=TOKEN .
  cbuild -t localhost:5000/app:1 --push .
  printf 'FROM scratch\nCOPY hello /\n' | cbuild -q -f - .
  git archive HEAD | cbuild -t app -
  cbuild -t app https://git.example/app.git#v1:docker
)",
    kBuildFlags,
    1,
    1,
    run_build,
};

}  // namespace cbuild::cli
