#include "registry/client.h"

#include "base/workers.h"
#include "registry/client_state.h"

namespace cbuild::registry {

Session& Client::State::session(const std::string& domain) {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<Session>& session = sessions_[domain];
  if (!session) session = std::make_unique<Session>(http, options, domain);
  return *session;
}

void Client::State::has_blob(const Reference& repository,
                             const store::Digest& digest) {
  const std::lock_guard lock(mutex_);
  seen_[digest].insert(repository.name());
}

std::set<std::string> Client::State::repositories_with(
    const std::string& domain, const store::Digest& digest) {
  const std::lock_guard lock(mutex_);
  std::set<std::string> result;
  const auto found = seen_.find(digest);
  if (found == seen_.end()) return result;
  for (const std::string& name : found->second)
    if (name.starts_with(domain + "/"))
      result.insert(name.substr(domain.size() + 1));
  return result;
}

Client::Client(ClientOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}

Client::~Client() = default;

bool is_foreign(const store::Descriptor& layer) {
  return !layer.urls.empty() ||
         layer.media_type.find(".foreign.") != std::string::npos ||
         layer.media_type.find(".nondistributable.") != std::string::npos;
}

void Client::fetch_layers(store::Store& store, const Reference& from,
                          const store::Image& image,
                          const TransferSink& progress) {
  Session& session = state_->session(from.domain());
  Workers workers(state_->options.parallel);
  std::set<store::Digest> seen;
  for (const store::Descriptor& layer : image.manifest.layers) {
    if (!seen.insert(layer.digest).second) continue;
    workers.submit([&] {
      registry::fetch_blob(session, from, store, layer, "layer", progress);
      state_->has_blob(from, layer.digest);
    });
  }
  in_context(from.familiar(), [&] { workers.wait(); });
}

void Client::check_login(const std::string& domain,
                         const Credentials& credentials) {
  Session session(state_->http, state_->options, domain, credentials);
  Call call;
  call.target = "/v2/";
  session.send(call);
}

}  // namespace cbuild::registry
