#include "registry/tls_files.h"

#include <fcntl.h>

#include <cstdlib>
#include <optional>

#include "base/dir.h"
#include "base/error.h"
#include "base/fd.h"

namespace cbuild::registry {
namespace {

// Where distributions keep the system's authorities in one file.
constexpr const char* kSystemBundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string read_certificates(const std::string& path) {
  const std::optional<std::string> text = read_file(path);
  if (!text) throw Error("CA file " + path + ": no such file");
  if (text->find("-----BEGIN CERTIFICATE-----") == std::string::npos &&
      text->find("-----BEGIN TRUSTED CERTIFICATE-----") == std::string::npos)
    throw Error("CA file " + path + ": no PEM certificate in it");
  return *text + "\n";
}

std::string system_certificates() {
  const std::string chosen = environment("SSL_CERT_FILE");
  if (!chosen.empty()) return read_certificates(chosen);
  for (const char* path : kSystemBundles)
    if (const auto text = read_file(path)) return *text + "\n";
  return "";
}

void add_directory(const std::string& path, std::string& authorities,
                   TlsFiles& files) {
  const std::optional<Fd> directory =
      try_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  if (!directory) return;
  for (const std::string& name : list_dir(directory->get())) {
    const std::string file = path + "/" + name;
    if (name.ends_with(".crt")) authorities += read_certificates(file);
    if (!name.ends_with(".cert")) continue;
    const std::string stem = name.substr(0, name.size() - 5);
    if (!lstat_at(directory->get(), stem + ".key"))
      throw Error("client certificate " + file + ": its key " + stem +
                  ".key is missing (an authority's certificate ends in .crt)");
    if (!files.certificate.empty()) continue;
    files.certificate = file;
    files.key = path + "/" + stem + ".key";
  }
}

}  // namespace

TlsFiles load_tls_files(const std::string& host,
                        const std::vector<std::string>& ca_files) {
  TlsFiles files;
  std::string authorities;
  for (const std::string& path : ca_files)
    authorities += read_certificates(path);
  add_directory("/etc/docker/certs.d/" + host, authorities, files);
  const std::string home = environment("HOME");
  if (!home.empty())
    add_directory(home + "/.docker/certs.d/" + host, authorities, files);
  if (!authorities.empty() || !environment("SSL_CERT_FILE").empty())
    files.authorities = system_certificates() + authorities;
  return files;
}

}  // namespace cbuild::registry
