#include "tests/support/local_registry.h"

#include <fcntl.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "base/error.h"
#include "base/fd.h"

namespace cbuild::test {
namespace {

void write_file(const std::string& path, const std::string& text) {
  const Fd out = open_path(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  write_all(out.get(), text, path);
}

void must_run(const std::vector<std::string>& argv) {
  const Finished run = run_program(argv);
  if (run.exit_code != 0) throw Error(argv[0] + ": " + run.output);
}

}  // namespace

std::string temp_root() {
  const char* chosen = std::getenv("TMPDIR");
  return chosen == nullptr ? "/tmp" : chosen;
}

bool LocalRegistry::available() {
  for (const char* name : {"docker-registry", "openssl", "htpasswd"}) {
    if (has_program(name)) continue;
    WARN("SKIPPED: no " << name << " here");
    return false;
  }
  return true;
}

LocalRegistry::LocalRegistry(const Options& options)
    : directory_(temp_root(), "registry-") {
  if (options.tls) make_certificates();
  if (!options.user.empty()) make_password_file(options);
  write_config(options);
  const std::string& dir = directory_.path();
  server_ = std::make_unique<Server>(
      std::vector<std::string>{"docker-registry", "serve", dir + "/config.yml"},
      dir + "/log");
  host_ =
      "127.0.0.1:" + server_->wait_for("listening on 127.0.0.1:", "0123456789");
}

void LocalRegistry::make_certificates() {
  const std::string& dir = directory_.path();
  must_run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
            "/CN=test authority", "-keyout", dir + "/ca.key", "-out",
            ca_file()});
  must_run({"openssl", "req", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
            "-keyout", dir + "/server.key", "-out", dir + "/server.csr"});
  write_file(dir + "/names", "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
  must_run({"openssl", "x509", "-req", "-in", dir + "/server.csr", "-CA",
            ca_file(), "-CAkey", dir + "/ca.key", "-CAcreateserial", "-days",
            "2", "-extfile", dir + "/names", "-out", dir + "/server.crt"});
}

void LocalRegistry::make_password_file(const Options& options) {
  must_run({"htpasswd", "-Bbc", directory_.path() + "/users", options.user,
            options.password});
}

void LocalRegistry::write_config(const Options& options) {
  const std::string& dir = directory_.path();
  std::string text =
      "version: 0.1\n"
      "log: {level: info}\n"
      "storage:\n"
      "  delete: {enabled: true}\n"
      "  filesystem: {rootdirectory: " +
      dir +
      "/data}\n"
      "http:\n"
      "  addr: 127.0.0.1:0\n"
      "  secret: of-this-test\n";
  if (options.tls)
    text += "  tls: {certificate: " + dir + "/server.crt, key: " + dir +
            "/server.key}\n";
  if (!options.user.empty())
    text += "auth:\n  htpasswd: {realm: test, path: " + dir + "/users}\n";
  write_file(dir + "/config.yml", text);
}

}  // namespace cbuild::test
