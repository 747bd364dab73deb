#include <cstdlib>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/values.h"
#include "store/damage.h"

namespace cbuild::cli {
namespace {

runtime::IsolationChoice isolation_choice(const Arguments& arguments) {
  std::string name = arguments.value("isolation");
  const char* variable = std::getenv("CBUILD_ISOLATION");
  if (name.empty() && variable != nullptr) name = variable;
  if (const auto choice = runtime::parse_isolation(name)) return *choice;
  refuse_value("isolation", name, "want " + runtime::isolation_names());
}

}  // namespace

Session::Session(Arguments arguments, const std::atomic<bool>* stop)
    : arguments_(std::move(arguments)), stop_(stop) {}

store::Store& Session::store() {
  if (!store_) {
    // Before the process turns into root of its namespace.
    std::string root = arguments_.value("root");
    if (root.empty()) root = store::default_root();
    isolation_ = runtime::enter_isolation(isolation_choice(arguments_));
    store::on_damage([](const std::string& sentence) {
      print_error("cbuild: warning: " + sentence);
    });
    store_.emplace(root);
  }
  return *store_;
}

const runtime::Isolation& Session::isolation() {
  store();
  return *isolation_;
}

registry::ClientOptions Session::client_options() const {
  registry::ClientOptions options;
  options.insecure = arguments_.has("insecure");
  options.ca_files = arguments_.values("tls-ca");
  options.stop = stop_;
  return options;
}

}  // namespace cbuild::cli
