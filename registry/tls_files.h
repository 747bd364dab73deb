// Certificates for a host: which authorities to trust, and who we are to it.
//
//   <certs.d>/<host:port>/*.crt          authorities, besides the system's
//   <certs.d>/<host:port>/<name>.cert    our certificate
//   <certs.d>/<host:port>/<name>.key     and its key
//
// with /etc/docker/certs.d and ~/.docker/certs.d as <certs.d>, as docker has
// it.
#pragma once

#include <string>
#include <vector>

namespace cbuild::registry {

struct TlsFiles {
  // All authorities in PEM, the system's included; empty where the TLS
  // library's own choice is to be used.
  std::string authorities;
  std::string certificate;  // path, or empty
  std::string key;          // path, or empty
};

// Reads the files. `host` is "name" or "name:port". Throws Error naming a file
// that is missing, holds no certificate, or is a certificate without its key.
TlsFiles load_tls_files(const std::string& host,
                        const std::vector<std::string>& ca_files);

}  // namespace cbuild::registry
