#include <algorithm>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/workers.h"
#include "registry/answer.h"
#include "registry/client_state.h"

// An image, from the store to a registry (distribution-spec, "Pushing
// manifests").
//
//   each blob:  HEAD, is it there?   else POST, mounting it from a repository
//               that has it, or opening an upload; then one PUT of its bytes
//   manifest:   PUT by tag, when all it names is there
//
// A registry's word that a digest is wrong is checked against the store's bytes
// and, where these are right, not believed: the same is sent again.
//
// An upload that breaks off starts anew: registries differ too much in what
// they keep of one (GAR takes no chunks).

namespace cbuild::registry {
namespace {

using store::Descriptor;
using store::Digest;

// Repositories of a domain, by the blobs that they should have.
using Sources = std::map<Digest, std::set<std::string>>;

// Opens an upload; its place, or nullopt where `query` had the blob mounted.
std::optional<Url> post_upload(Session& session, const Reference& to,
                               const std::vector<Parameter>& query,
                               Scopes scopes) {
  Call call;
  call.method = "POST";
  call.target = add_query(v2_target(to.path(), "blobs/uploads/"), query);
  call.scopes = std::move(scopes);
  const HttpResponse response = session.send_once(call);
  if (response.status == 201) return std::nullopt;
  std::optional<Url> upload =
      resolve_url(response.url, response.header("location"));
  if (response.status != 202 || !upload)
    throw RegistryError(describe(response) + ", and no place to upload to",
                        response.status, "");
  // A registry behind a proxy may not know that it is reached by HTTPS.
  if (upload->host == response.url.host && upload->scheme == "http" &&
      response.url.scheme == "https") {
    upload->scheme = response.url.scheme;
    upload->port = response.url.port;
  }
  return upload;
}

class BlobPush {
 public:
  BlobPush(Session& session, store::Store& store, const Reference& to,
           const Descriptor& blob, std::string what, const TransferSink& sink)
      : session_(session),
        store_(store),
        to_(to),
        blob_(blob),
        report_{std::move(what), blob.digest, 0, blob.size, {}, true},
        sink_(sink) {}

  void run(const std::vector<std::string>& sources) {
    Retry(session_.retry()).run([&] {
      // Also before another try: the answer to the last one may be what broke.
      if (exists()) return tell(TransferProgress::State::exists, blob_.size);
      const std::optional<Url> upload = open_upload(sources);
      if (!upload) return tell(TransferProgress::State::exists, blob_.size);
      send(*upload);
    });
  }

 private:
  bool exists() {
    Call call;
    call.method = "HEAD";
    call.target = v2_target(to_.path(), "blobs/" + blob_.digest.text());
    call.scopes = push_scope(to_.path());
    call.answers = {404};
    return session_.send_once(call).ok();
  }

  // Where the bytes go, or nullopt where the blob was mounted.
  std::optional<Url> open_upload(const std::vector<std::string>& sources) {
    for (const std::string& from : sources) {
      Scopes scopes = push_scope(to_.path());
      scopes[from].insert("pull");
      try {
        return post_upload(session_, to_,
                           {{"mount", blob_.digest.text()}, {"from", from}},
                           std::move(scopes));
      } catch (const CredentialsError&) {
        // May push here, may not read there.
      } catch (const HttpFailure& failure) {
        if (failure.status() < 400 || failure.status() >= 500) throw;
      }
    }
    return post_upload(session_, to_, {}, push_scope(to_.path()));
  }

  void send(Url upload) {
    const std::optional<Fd> file = store_.blobs.open(blob_.digest);
    if (!file)
      throw Error("not in the store, and " + session_.domain() +
                  " does not have it: pull the image that it belongs to");
    upload.target =
        add_query(std::move(upload.target), {{"digest", blob_.digest.text()}});
    Call call;
    call.method = "PUT";
    call.location = std::move(upload);
    call.scopes = push_scope(to_.path());
    call.headers = {"Content-Type: application/octet-stream"};
    call.file = FileBody{file->get(), 0, blob_.size};
    call.on_sent = [this](std::uint64_t sent) {
      if (sent >= report_.done + kReportEvery || sent < report_.done)
        tell(TransferProgress::State::moving, sent);
    };
    tell(TransferProgress::State::started, 0);
    try {
      session_.send_once(call);
    } catch (const HttpFailure& failure) {
      if (failure.status() == 400) check_own_bytes();
      throw;
    }
    tell(TransferProgress::State::finished, blob_.size);
  }

  // The registry hashes what it gets; where it refuses that, whose fault is it?
  // It then says 400, with DIGEST_INVALID (distribution-spec), SIZE_INVALID or
  // a code of its own. Refused rights, a lost upload or a quota have other
  // statuses and tell nothing of the bytes.
  void check_own_bytes() {
    if (store_.blobs.verify(blob_.digest)) return;
    store_.blobs.remove(blob_.digest);
    throw store::DamagedBlob(
        "damaged in the store, and dropped: build or pull the image again");
  }

  void tell(TransferProgress::State state, std::uint64_t done) {
    report_.done = done;
    report_.state = state;
    if (sink_) sink_(report_);
  }

  static constexpr std::uint64_t kReportEvery = 256 * 1024;

  Session& session_;
  store::Store& store_;
  const Reference& to_;
  const Descriptor& blob_;
  TransferProgress report_;
  const TransferSink& sink_;
};

// Adds the repository of one image of the store to those its blobs are in.
void add_source(Sources& sources, const store::Store& store,
                const std::string& repository, const Descriptor& image) {
  const std::optional<std::string> body = store.blobs.read(image.digest);
  if (!body || !store::is_manifest(image.media_type)) return;
  const store::Manifest manifest = store::parse_manifest(*body);
  sources[manifest.config.digest].insert(repository);
  for (const Descriptor& layer : manifest.layers)
    sources[layer.digest].insert(repository);
}

// What the store's names and records tell of the domain's other repositories.
// A wrong guess costs nothing: the registry then opens an upload.
Sources find_sources(const store::Store& store, const Reference& to) {
  Sources sources;
  const auto add = [&](const std::string& name, const Descriptor& image) {
    const auto reference = Reference::try_parse(name);
    if (reference && reference->domain() == to.domain() &&
        reference->path() != to.path())
      add_source(sources, store, reference->path(), image);
  };
  for (const store::NamedImage& image : store.images.list())
    add(image.name, image.manifest);
  for (const Descriptor& image : store.images.remembered()) {
    const auto source = image.annotations.find(kSourceAnnotation);
    if (source != image.annotations.end()) add(source->second, image);
  }
  return sources;
}

void put_image_manifest(Session& session, store::Store& store,
                        const store::Image& image, const Reference& to) {
  const Digest& digest = image.descriptor.digest;
  const std::optional<std::string> body = store.blobs.read(digest);
  if (!body) throw Error("manifest " + digest.text() + " is not in the store");
  Call call;
  call.method = "PUT";
  call.target =
      v2_target(to.path(), "manifests/" + to.tag().value_or(digest.text()));
  call.scopes = push_scope(to.path());
  call.headers = {"Content-Type: " + image.descriptor.media_type};
  call.body = *body;
  const HttpResponse response = session.send(call);
  const auto stored =
      Digest::try_parse(response.header("docker-content-digest"));
  if (stored && *stored != digest)
    throw RegistryError(session.domain() + " stored the manifest as " +
                            stored->text() + " and not as " + digest.text(),
                        response.status, "");
}

}  // namespace

store::Digest Client::push(store::Store& store, const store::Image& image,
                           const Reference& to, const TransferSink& progress) {
  Session& session = state_->session(to.domain());
  const Sources known = find_sources(store, to);
  const auto push_blob = [&](const Descriptor& blob, const std::string& what) {
    // First those that are known to have it, then those that should.
    const auto sure = state_->repositories_with(to.domain(), blob.digest);
    std::vector<std::string> sources(sure.begin(), sure.end());
    if (const auto found = known.find(blob.digest); found != known.end())
      sources.insert(sources.end(), found->second.begin(), found->second.end());
    std::erase(sources, to.path());
    registry::push_blob(session, store, to, blob, what, sources, progress);
    state_->has_blob(to, blob.digest);
  };

  return in_context(to.familiar(), [&] {
    if (to.digest() && *to.digest() != image.descriptor.digest)
      throw Error("the image's digest is " + image.descriptor.digest.text());
    Workers workers(state_->options.parallel);
    std::set<Digest> seen;
    for (const Descriptor& layer : image.manifest.layers)
      if (!is_foreign(layer) && seen.insert(layer.digest).second)
        workers.submit([&] { push_blob(layer, "layer"); });
    workers.submit([&] { push_blob(image.manifest.config, "config"); });
    workers.wait();
    // Everything the manifest names is there: from here on it may be seen.
    put_image_manifest(session, store, image, to);
    return image.descriptor.digest;
  });
}

void push_blob(Session& session, store::Store& store, const Reference& to,
               const Descriptor& blob, const std::string& what,
               const std::vector<std::string>& sources,
               const TransferSink& progress) {
  in_context(what + " " + blob.digest.short_text(), [&] {
    BlobPush(session, store, to, blob, what, progress).run(sources);
  });
}

void Client::push_text(const Reference& to, std::string_view text) {
  Session& session = state_->session(to.domain());
  const std::string digest = store::sha256(text).text();
  Call call;
  call.method = "HEAD";
  call.target = v2_target(to.path(), "blobs/" + digest);
  call.scopes = push_scope(to.path());
  call.answers = {404};
  if (session.send(call).ok()) return;
  auto upload = post_upload(session, to, {}, push_scope(to.path()));
  if (!upload) return;
  upload->target = add_query(std::move(upload->target), {{"digest", digest}});
  Call put;
  put.method = "PUT";
  put.location = std::move(upload);
  put.scopes = push_scope(to.path());
  put.headers = {"Content-Type: application/octet-stream"};
  put.body = text;
  session.send_once(put);
}

void Client::check_push(const Reference& to) {
  Session& session = state_->session(to.domain());
  in_context("push " + to.familiar(), [&] {
    const std::optional<Url> upload = Retry(session.retry()).run([&] {
      return post_upload(session, to, {}, push_scope(to.path()));
    });
    if (!upload) return;
    Call call;
    call.method = "DELETE";
    call.location = upload;
    call.scopes = push_scope(to.path());
    // Some registries ask for a right of its own to take it back, or know no
    // way: they let it expire.
    call.answers = {400, 404, 405, 501};
    try {
      session.send(call);
    } catch (const CredentialsError&) {
    }
  });
}

}  // namespace cbuild::registry
