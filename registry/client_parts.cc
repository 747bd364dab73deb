// The pieces of an image, one at a time: for caches, whose records are no
// images.
#include "registry/answer.h"
#include "registry/client_state.h"

namespace cbuild::registry {
namespace {

constexpr const char* kAccept =
    "Accept: application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json";

std::string manifest_target(const Reference& reference) {
  return v2_target(reference.path(),
                   "manifests/" + reference.tag().value_or("latest"));
}

}  // namespace

std::optional<std::string> Client::find_manifest(const Reference& reference) {
  Call call;
  call.target = manifest_target(reference);
  call.scopes = pull_scope(reference.path());
  call.headers = {kAccept};
  call.answers = {404};
  const HttpResponse response = state_->session(reference.domain()).send(call);
  if (response.status == 404) return std::nullopt;
  return response.body;
}

void Client::put_manifest(const Reference& to, const std::string& media_type,
                          const std::string& text) {
  Call call;
  call.method = "PUT";
  call.target = manifest_target(to);
  call.scopes = push_scope(to.path());
  call.headers = {"Content-Type: " + media_type};
  call.body = text;
  state_->session(to.domain()).send(call);
}

void Client::fetch_blob(store::Store& store, const Reference& from,
                        const store::Descriptor& blob,
                        const TransferSink& progress) {
  registry::fetch_blob(state_->session(from.domain()), from, store, blob,
                       "layer", progress);
}

void Client::push_blob(store::Store& store, const Reference& to,
                       const store::Descriptor& blob,
                       const TransferSink& progress) {
  registry::push_blob(state_->session(to.domain()), store, to, blob, "layer",
                      {}, progress);
}

}  // namespace cbuild::registry
