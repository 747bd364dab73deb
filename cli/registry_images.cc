#include "cli/registry_images.h"

namespace cbuild::cli {

RegistryImages::RegistryImages(store::Store& store,
                               registry::ClientOptions options,
                               Renderer& renderer)
    : store_(store), options_(std::move(options)), renderer_(renderer) {}

registry::Client& RegistryImages::client() {
  const std::lock_guard lock(mutex_);
  if (!client_) client_ = std::make_unique<registry::Client>(options_);
  return *client_;
}

registry::TransferSink RegistryImages::sink(
    const registry::Reference& reference) {
  return [this, subject = reference.familiar()](
             const registry::TransferProgress& progress) {
    renderer_.transfer(subject, progress);
  };
}

store::Image RegistryImages::resolve(const registry::Reference& reference,
                                     const store::Platform& platform) {
  return client().resolve(store_, reference, platform, sink(reference));
}

void RegistryImages::fetch_layers(const registry::Reference& reference,
                                  const store::Image& image) {
  client().fetch_layers(store_, reference, image, sink(reference));
}

}  // namespace cbuild::cli
