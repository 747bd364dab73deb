#include "cli/command.h"
#include "cli/output.h"
#include "store/damage.h"

namespace cbuild::cli {

Session::Session(Arguments arguments, const std::atomic<bool>* stop)
    : arguments_(std::move(arguments)), stop_(stop) {}

store::Store& Session::store() {
  if (!store_) {
    const std::string root = arguments_.value("root");
    store::on_damage([](const std::string& sentence) {
      print_error("cbuild: warning: " + sentence);
    });
    store_.emplace(root.empty() ? store::default_root() : root);
  }
  return *store_;
}

registry::ClientOptions Session::client_options() const {
  registry::ClientOptions options;
  options.insecure = arguments_.has("insecure");
  options.ca_files = arguments_.values("tls-ca");
  options.stop = stop_;
  return options;
}

}  // namespace cbuild::cli
