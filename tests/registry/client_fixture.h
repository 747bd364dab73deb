// What the tests of Client share: images made by hand, a store that goes away,
// and the server of fault_server.py.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/dir.h"
#include "registry/client.h"
#include "store/store.h"
#include "tests/support/local_registry.h"
#include "tests/support/program.h"

namespace cbuild::registry {

// A store, and an environment without credentials of whoever runs the test.
struct Workplace {
  TempDir directory{test::temp_root(), "client-"};
  test::Environment environment{{{"DOCKER_CONFIG", directory.path()},
                                 {"DOCKER_AUTH_CONFIG", std::nullopt},
                                 {"SSL_CERT_FILE", std::nullopt}}};
  store::Store store{directory.path() + "/store"};

  // Another, empty one.
  std::unique_ptr<store::Store> second_store() {
    return std::make_unique<store::Store>(directory.path() + "/" +
                                          random_hex(4));
  }
  void write_config(const std::string& json);
};

// An image of plain tars with one file each, in the store's blobs.
store::Image make_image(store::Store& store,
                        const std::vector<std::string>& files,
                        const store::Platform& platform = {"linux", "amd64"});

// `size` bytes that no compression makes smaller, the same each time.
std::string noise(std::size_t size);

ClientOptions quick();  // pauses of a millisecond between tries

// fault_server.py with these options.
class FaultServer {
 public:
  // Warns "SKIPPED: ..." where there is no Python.
  static bool available();
  explicit FaultServer(const nlohmann::json& options);

  const std::string& host() const { return host_; }
  Reference reference(const std::string& name) const {
    return Reference::parse(host_ + "/" + name);
  }
  // The lines it wrote for requests, in order; `match` as in "GET /v2/".
  std::vector<nlohmann::json> requests(const std::string& match = {}) const;
  // Those for tokens that it gave.
  std::vector<nlohmann::json> tokens() const;

 private:
  TempDir directory_{test::temp_root(), "faults-"};
  std::unique_ptr<test::Server> server_;
  std::string host_;
};

// Pushes `image` there with a fresh client, blobs one after the other.
void push_to(store::Store& store, const store::Image& image,
             const Reference& to);

}  // namespace cbuild::registry
