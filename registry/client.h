// One registry connection's settings, and the verbs that use it.
//
// HTTPS with the system's certificates, $SSL_CERT_FILE, the `ca_file`s given,
// and <certs.d>/<host:port>/{*.crt,*.cert,*.key} of /etc/docker/certs.d and
// ~/.docker/certs.d. Plain HTTP for localhost, 127.0.0.0/8 and ::1 (after HTTPS
// was tried), or for any host with `insecure`, which also skips verification.
// 408, 429, 5xx and broken connections are tried again with growing pauses,
// Retry-After honoured. Throws RegistryError, CredentialsError,
// store::DigestMismatch.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "registry/credentials.h"
#include "registry/errors.h"
#include "registry/reference.h"
#include "store/store.h"

namespace cbuild::registry {

struct ClientOptions {
  bool insecure = false;
  std::vector<std::string> ca_files;
  CredentialStore credentials;
  unsigned parallel = 4;  // transfers at once
  // The pause before a second try; it doubles with each further one.
  std::chrono::milliseconds retry_pause{500};
  const std::atomic<bool>* stop = nullptr;  // throws Interrupted once true
};

// How far one blob's transfer is. Called from the transfer's thread.
struct TransferProgress {
  std::string what;  // "layer", "config"
  store::Digest digest;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  enum class State { started, moving, finished, exists } state{};
  bool sent = false;  // to a registry, not from one
};
using TransferSink = std::function<void(const TransferProgress&)>;

class Client {
 public:
  explicit Client(ClientOptions options);
  ~Client();

  // Manifest of `platform` behind a reference (through an index), stored in
  // `store.blobs` together with its config; no layer is fetched. Records the
  // layers with store.layers.add_blob. Does not tag. Throws RegistryError with
  // status 404 where there is none, Error where no platform matches.
  store::Image resolve(store::Store& store, const Reference& reference,
                       const store::Platform& platform,
                       const TransferSink& progress = {});

  // Fetches those layers' blobs that are not in the store, in parallel, their
  // digests verified (the store compares diffIDs when it unpacks them). Does
  // not sync.
  void fetch_layers(store::Store& store, const Reference& from,
                    const store::Image& image,
                    const TransferSink& progress = {});

  // Sends the image: blobs the registry has are not sent again (also mounted
  // from `mount_from` repositories of the same registry), layers in parallel,
  // then the config, the manifest last. Returns the manifest's digest. A layer
  // that is not here is an error that names it.
  store::Digest push(store::Store& store, const store::Image& image,
                     const Reference& to, const TransferSink& progress = {});

  // Pieces, for caches (registry/cache_storage.h). A manifest by its tag, or
  // nullopt where there is none.
  std::optional<std::string> find_manifest(const Reference& reference);
  void put_manifest(const Reference& to, const std::string& media_type,
                    const std::string& text);
  void fetch_blob(store::Store& store, const Reference& from,
                  const store::Descriptor& blob, const TransferSink& progress);
  // Unless the registry has it.
  void push_blob(store::Store& store, const Reference& to,
                 const store::Descriptor& blob, const TransferSink& progress);
  void push_text(const Reference& to, std::string_view text);

  // Opens an upload to `to` and takes it back, so that a build that is to end
  // with a push can be told at its start that the push would be refused.
  void check_push(const Reference& to);

  // Checks credentials against the registry (GET /v2/); throws where refused.
  void check_login(const std::string& domain, const Credentials& credentials);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Where the builder gets base images from; tests have a fake.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  virtual store::Image resolve(const Reference& reference,
                               const store::Platform& platform) = 0;
  virtual void fetch_layers(const Reference& reference,
                            const store::Image& image) = 0;
};

}  // namespace cbuild::registry
