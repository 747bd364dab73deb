#include "runtime/ca_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/dir.h"

namespace cbuild::runtime {
namespace {

// Debian, Ubuntu, Alpine, Arch; Fedora, RHEL; SUSE; Alpine. Some are links to
// others, which are found changed already.
constexpr const char* kBundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

// OpenSSL and what uses it; curl; Python; git; Node adds it to its own; AWS's
// and Google's tools; cargo; Deno.
constexpr const char* kVariables[] = {
    "SSL_CERT_FILE",      "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE", "PIP_CERT",
    "GIT_SSL_CAINFO",     "NODE_EXTRA_CA_CERTS",
    "AWS_CA_BUNDLE",      "CARGO_HTTP_CAINFO",
    "DENO_CERT",          "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
};

constexpr const char* kMount = "/run/cbuild-ca.pem";

std::string content_of(const Fd& file, const std::string& path) {
  check(::lseek(file.get(), 0, SEEK_SET), "seek", path);
  return read_all(file.get(), path);
}

}  // namespace

CaFiles::CaFiles(int root, const std::string& certificates)
    : root_(root), certificates_(certificates) {
  if (certificates.empty()) return;
  // A line of its own, whatever the bundle ends with.
  certificates_ = "\n" + certificates;
  for (const char* path : kBundles) {
    const auto found = try_open_in_root(root, path, O_RDONLY);
    struct stat st;
    if (!found || ::fstat(found->get(), &st) == -1 || !S_ISREG(st.st_mode))
      continue;
    std::string before = read_all(found->get(), path);
    if (before.ends_with(certificates_)) continue;
    const Fd file = open_in_root(root, path, O_WRONLY | O_APPEND);
    write_all(file.get(), certificates_, path);
    bundles_.push_back({path, std::move(before), st.st_mtim});
  }
}

std::vector<SecretMount> CaFiles::mounts() const {
  if (certificates_.empty()) return {};
  const std::string base = bundles_.empty() ? "" : bundles_.front().before;
  return {{kMount, base + certificates_, 0444, 0, 0}};
}

std::vector<std::string> CaFiles::variables(
    const std::vector<std::string>& env) const {
  std::vector<std::string> added;
  if (certificates_.empty()) return added;
  for (const char* name : kVariables) {
    const std::string start = std::string(name) + "=";
    if (std::none_of(env.begin(), env.end(), [&](const std::string& entry) {
          return entry.starts_with(start);
        }))
      added.push_back(start + kMount);
  }
  return added;
}

void CaFiles::remove() {
  for (const Bundle& bundle : bundles_) {
    const auto file = try_open_in_root(root_, bundle.path, O_RDWR);
    if (!file) continue;  // the command removed it
    std::string now = content_of(*file, bundle.path);
    const std::size_t at = now.find(certificates_);
    if (at == std::string::npos) continue;  // it was made anew
    now.erase(at, certificates_.size());
    check(::ftruncate(file->get(), 0), "truncate", bundle.path);
    check(::lseek(file->get(), 0, SEEK_SET), "seek", bundle.path);
    write_all(file->get(), now, bundle.path);
    if (now != bundle.before) continue;
    const timespec times[2] = {{0, UTIME_OMIT}, bundle.time};
    check(::futimens(file->get(), times), "utimens", bundle.path);
  }
}

}  // namespace cbuild::runtime
