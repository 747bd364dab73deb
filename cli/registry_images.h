// Base images from registries, for the builder.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "cli/progress.h"
#include "registry/client.h"
#include "store/store.h"

namespace cbuild::cli {

// Makes its client when the first question is asked: a cached build asks none
// and does not pay for loading the network. Thread-safe as the client is.
class RegistryImages final : public registry::ImageSource {
 public:
  RegistryImages(store::Store& store, registry::ClientOptions options,
                 Renderer& renderer);
  store::Image resolve(const registry::Reference& reference,
                       const store::Platform& platform) override;
  void fetch_layers(const registry::Reference& reference,
                    const store::Image& image) override;

 private:
  registry::Client& client();
  registry::TransferSink sink(const registry::Reference& reference);

  store::Store& store_;
  registry::ClientOptions options_;
  Renderer& renderer_;
  std::mutex mutex_;  // guards the making of:
  std::unique_ptr<registry::Client> client_;
};

}  // namespace cbuild::cli
