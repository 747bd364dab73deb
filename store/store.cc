#include "store/store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

namespace cbuild::store {
namespace {

std::string absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  char* const cwd = ::getcwd(nullptr, 0);
  if (cwd == nullptr) throw_system_error("getcwd", "");
  const std::unique_ptr<char, decltype(&std::free)> owner(cwd, std::free);
  return std::string(cwd) + "/" + path;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Store::Store(const std::string& root)
    : root_(absolute(root)),
      durability_(std::make_shared<Durability>(root_)),
      leases_(Leases::of(root_)),
      blobs(root_),
      layers(root_, blobs, durability_),
      images(root_, blobs),
      steps(root_, durability_) {
  sweep(root_);
}

TempDir Store::temp_dir(std::string_view prefix) {
  return TempDir(Staging::of(root_)->directory(), prefix);
}

std::optional<Claim> Store::try_claim(const std::string& work) const {
  return Claim::try_claim(root_ + "/locks/claims", work);
}

void Store::sync() {
  const Birth start = Birth::now();
  const Fd root = open_path(root_, O_RDONLY | O_DIRECTORY);
  check(::syncfs(root.get()), "sync", root_);
  durability_->synced(start);
}

std::string default_root() {
  if (const std::string root = variable("CBUILD_ROOT"); !root.empty())
    return root;
  if (::geteuid() == 0) return "/var/lib/cbuild";
  if (const std::string data = variable("XDG_DATA_HOME"); !data.empty())
    return data + "/cbuild";
  const std::string home = variable("HOME");
  if (home.empty())
    throw UsageError(
        "no place for the store: set HOME, XDG_DATA_HOME or --root");
  return home + "/.local/share/cbuild";
}

}  // namespace cbuild::store
