// cbuild build: from flags to an image.
#include <fcntl.h>

#include "base/dir.h"
#include "base/text.h"
#include "builder/build.h"
#include "cli/build_flags.h"
#include "cli/command.h"
#include "cli/debug_command.h"
#include "cli/graph_command.h"
#include "cli/metadata_file.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/registry_images.h"
#include "cli/run_flags.h"
#include "registry/web_client.h"

namespace cbuild::cli {
namespace {

// Writes a small result file of the user's, whole or with an error. Not by
// rename: /dev/stdout and pipes are allowed here.
void write_file(const std::string& path, const std::string& text) {
  Fd file = open_path(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  write_all(file.get(), text, path);
  file.close();
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

// "sha256:0123456789ab is app:latest, app:1".
std::string names_text(const builder::BuildRequest& request,
                       const builder::BuildResult& result) {
  std::vector<std::string> names;
  for (const registry::Reference& tag : request.tags)
    names.push_back(tag.familiar());
  return "image " + result.config.short_text() +
         (names.empty() ? " has no name" : " is " + join(names, ", "));
}

void write_results(Session& session, const builder::BuildRequest& request,
                   const builder::BuildResult& result) {
  const Arguments& args = session.args();
  if (args.has("iidfile"))
    write_file(args.value("iidfile"), result.config.text());
  if (args.has("metadata-file")) {
    const store::Image image = session.store().images.load(result.manifest);
    write_file(args.value("metadata-file"),
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
    renderer.finish();
    print_error(e.what());
    builder::DebugRequest shell;
    shell.secrets = request.secrets;
    shell.ssh = request.ssh;
    try {
      debug(session, e.kept(), std::move(shell));
    } catch (const builder::RunFailed&) {
      // The exit code of the shell says nothing about the build.
    }
    builder::remove_failed(session.store(), e.kept());
    throw;
  }
}

void run_build(Session& session) {
  const Arguments& args = session.args();
  const builder::BuildRequest request = build_request(args);
  if (args.has("print")) {
    print(printed(session, request, args.value("print")));
    return;
  }
  if (args.has("push") && request.tags.empty())
    throw UsageError("tag is needed when pushing to registry: give --tag");
  const auto renderer =
      make_renderer(progress_kind(args.value("progress"), args.has("quiet")));

  store::Store& store = session.store();
  runtime::NamespaceRunner runner(store.root() + "/locks",
                                  runner_options(args));
  RegistryImages images(store, session.client_options(), *renderer);
  registry::WebClient web(session.client_options());
  builder::BuildEnvironment environment{store, runner,    images,
                                        web,   *renderer, session.stop()};
  std::optional<builder::BuildResult> result;
  {
    const Finisher finisher(*renderer);
    result = build(session, request, environment, *renderer);
    renderer->on(builder::MessageEvent{false, names_text(request, *result)});
    if (args.has("push")) push_tags(session, request, *result, *renderer);
  }
  write_results(session, request, *result);
  if (args.has("quiet")) print(result->config.text() + "\n");
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
