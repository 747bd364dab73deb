#include "runtime/ca_files.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "sandbox.h"

namespace cbuild::runtime {
namespace {

constexpr const char* kBundle = "/etc/ssl/certs/ca-certificates.crt";
constexpr const char* kPem = "-----BEGIN CERTIFICATE-----\nours\n";

std::int64_t mtime(const std::string& path) {
  struct stat st = {};
  REQUIRE(::stat(path.c_str(), &st) == 0);
  return st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

RunSpec trusting(Sandbox& sandbox, const std::string& script) {
  RunSpec spec = sandbox.spec(script);
  spec.ca_certificates = kPem;
  return spec;
}

}  // namespace

TEST_CASE("CA: trusted in the bundle and by variables, then gone",
          "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  sandbox.put(kBundle, "theirs");
  const Output output = sandbox.run(trusting(
      sandbox, std::string("cat ") + kBundle +
                   "; echo; grep -c 'ours\\|theirs' $SSL_CERT_FILE; "
                   "test $CURL_CA_BUNDLE = $NODE_EXTRA_CA_CERTS && echo same"));
  CHECK(output.out == "theirs\n" + std::string(kPem) + "\n2\nsame\n");
  // Copied up by the change, and what it was: the scan drops it.
  CHECK(read_file(sandbox.upper() + kBundle) == "theirs");
  CHECK(mtime(sandbox.upper() + kBundle) == mtime(sandbox.root() + kBundle));
}

TEST_CASE("CA: what the command did to the bundle stays", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  sandbox.put(kBundle, "theirs");
  const std::string path = kBundle;
  sandbox.run(trusting(sandbox, "echo more >>" + path));
  CHECK(read_file(sandbox.upper() + path) == "theirsmore\n");
  // As update-ca-certificates does.
  sandbox.run(trusting(sandbox, "echo new >/tmp/n; mv -f /tmp/n " + path));
  CHECK(read_file(sandbox.upper() + path) == "new\n");
  sandbox.run(trusting(sandbox, "rm " + path));
  CHECK(sandbox.written().find("ca-certificates.crt") != std::string::npos);
}

TEST_CASE("CA: an image without bundle gets nothing into its layer",
          "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  RunSpec spec = trusting(sandbox, "cat $SSL_CERT_FILE; echo $PIP_CERT");
  spec.env.push_back("PIP_CERT=/mine");
  CHECK(sandbox.run(spec).out == "\n" + std::string(kPem) + "/mine\n");
  CHECK(sandbox.written() == "");
}

}  // namespace cbuild::runtime
