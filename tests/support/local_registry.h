// Debian's docker-registry on 127.0.0.1, for one test.
//
//   if (!LocalRegistry::available()) return;        // says SKIPPED
//   LocalRegistry registry;                         // plain HTTP
//   LocalRegistry secure({.tls = true, .user = "ann", .password = "secret"});
//   registry.host()                                 // "127.0.0.1:34567"
//
// The port is the kernel's choice; all it stores is gone with the object.
#pragma once

#include <memory>
#include <string>

#include "base/dir.h"
#include "tests/support/program.h"

namespace cbuild::test {

class LocalRegistry {
 public:
  struct Options {
    bool tls = false;
    std::string user;  // with `password`: HTTP Basic (htpasswd)
    std::string password;
  };

  // Warns "SKIPPED: ..." where a program that this needs is missing.
  static bool available();

  LocalRegistry() : LocalRegistry(Options{}) {}
  explicit LocalRegistry(const Options& options);

  const std::string& host() const { return host_; }
  // The certificate of the authority that signed the registry's, with `tls`.
  std::string ca_file() const { return directory_.path() + "/ca.crt"; }
  // Requests and errors, as the registry logs them.
  std::string log() const { return server_->log(); }
  // Where it keeps its files: blobs/ and repositories/.
  std::string storage() const {
    return directory_.path() + "/data/docker/registry/v2";
  }

 private:
  void make_certificates();
  void make_password_file(const Options& options);
  void write_config(const Options& options);

  TempDir directory_;
  std::string host_;
  std::unique_ptr<Server> server_;
};

// $TMPDIR or /tmp.
std::string temp_root();

}  // namespace cbuild::test
